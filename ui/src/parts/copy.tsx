import { Button } from "@fluentui/react-components";
import { useState } from "react";
import { text } from "../text";
import { ArrowDownloadRegular, CopyRegular } from "./icons";

/** The clipboard needs a secure origin; on plain http to another host the old way still works. */
async function copyText(value: string): Promise<void> {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(value);
      return;
    } catch {
      // Refused by the browser: fall through.
    }
  }
  const area = document.createElement("textarea");
  area.value = value;
  area.style.position = "fixed";
  area.style.opacity = "0";
  // Inside an open dialog focus is trapped: the area must be within it.
  (document.activeElement?.closest("[role=dialog]") ?? document.body).appendChild(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

export function CopyButton({ value, label = text.common.copy, appearance = "subtle" }: { value: string; label?: string; appearance?: "subtle" | "primary" | "secondary" }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await copyText(value);
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };
  return (
    <>
      <Button size={appearance === "subtle" ? "small" : "medium"} appearance={appearance} icon={<CopyRegular />} onClick={() => void copy()}>
        {copied ? text.common.copied : label}
      </Button>
      <span role="status" className="unseen">
        {copied ? text.common.copied : ""}
      </span>
    </>
  );
}

export function DownloadButton({ value, name, type, label = text.common.download, appearance = "subtle" }: { value: string; name: string; type: string; label?: string; appearance?: "subtle" | "secondary" }) {
  const download = () => {
    const url = URL.createObjectURL(new Blob([value], { type }));
    const link = document.createElement("a");
    link.href = url;
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  };
  return (
    <Button size={appearance === "subtle" ? "small" : "medium"} appearance={appearance} icon={<ArrowDownloadRegular />} onClick={download}>
      {label}
    </Button>
  );
}

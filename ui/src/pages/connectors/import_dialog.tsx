import { Button, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle } from "@fluentui/react-components";
import { useState } from "react";
import { Problem } from "../../parts/page";
import { text } from "../../text";
import { ChangeList } from "./change";
import { type Imported, useImport, wrongChoice } from "./gallery";

function Row({ one }: { one: Imported }) {
  return (
    <li>
      <strong className="breakable">{one.displayName ?? one.file}</strong>
      <span>{[text.connectors.import.result[one.result], one.version !== undefined && text.connectors.about.version(one.version)].filter(Boolean).join(" · ")}</span>
      {one.operations !== undefined && <span className="quiet">{text.connectors.import.usable(one.usable ?? 0, one.operations)}</span>}
      {one.error && <span className="breakable">{[one.error.message, one.error.cure, `(${one.error.code})`].filter(Boolean).join(" ")}</span>}
      {one.change && <ChangeList change={one.change} />}
      {one.findings && one.findings.length > 0 && (
        <details>
          <summary>{text.connectors.import.findings(one.findings.length)}</summary>
          <ul>
            {one.findings.map((finding, index) => (
              <li key={index} className="breakable">
                {[finding.message, finding.cure].filter(Boolean).join(" ")} <span className="quiet">{finding.pointer}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </li>
  );
}

/** Takes connectors from files or a package, and says of each what became of it. */
export default function ImportDialog({ onClose }: { onClose: () => void }) {
  const [files, setFiles] = useState<File[]>([]);
  const send = useImport();
  const wrong = wrongChoice(files);
  return (
    <Dialog open onOpenChange={(_, data) => !data.open && onClose()}>
      <DialogSurface>
        <DialogBody>
          <DialogTitle>{text.connectors.import.title}</DialogTitle>
          <DialogContent className="form">
            <p>{text.connectors.import.hint}</p>
            <label>
              {text.connectors.import.files}{" "}
              <input
                type="file"
                multiple
                accept=".json,.zip,application/json,application/zip"
                onChange={(event) => {
                  setFiles([...(event.target.files ?? [])]);
                  send.reset();
                }}
              />
            </label>
            {files.length > 0 && wrong && <p role="alert">{text.connectors.import[wrong]}</p>}
            <Problem error={send.error} />
            {send.isPending && <p role="status">{text.connectors.import.sending}</p>}
            {send.data && (
              <div role="status">
                <ul className="import-rows">
                  {send.data.map((one, index) => (
                    <Row key={index} one={one} />
                  ))}
                </ul>
              </div>
            )}
          </DialogContent>
          <DialogActions>
            <Button onClick={onClose}>{text.connectors.import.close}</Button>
            <Button appearance="primary" disabled={wrong !== undefined || send.isPending || send.isSuccess} onClick={() => send.mutate(files)}>
              {text.connectors.import.send}
            </Button>
          </DialogActions>
        </DialogBody>
      </DialogSurface>
    </Dialog>
  );
}

import { Button, Input, Menu, MenuDivider, MenuItem, MenuList, MenuPopover, MenuTrigger, Tooltip } from "@fluentui/react-components";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { Link, useLocation } from "wouter";
import { getJson } from "../api/client";
import { paths, routes } from "../api/paths";
import type { Flow, Page, Run, User } from "../api/types";
import { AlertRegular, AppsListRegular, BracesRegular, InfoRegular, KeyRegular, PersonRegular, PersonSupportRegular, PlugConnectedRegular, SearchRegular, SettingsRegular, SignOutRegular } from "../parts/icons";
import { text } from "../text";
import { NotificationsButton } from "./notifications";
import { useSignOut } from "./sign_out";

/** Names of runs are long numbers with CU and a unit; anything else is looked for among flows and recorded values. */
const runName = /^\d{20,}CU\d+$/;

function Search() {
  const [, navigate] = useLocation();
  const [value, setValue] = useState("");
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const focus = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (event.key !== "/" || event.ctrlKey || event.metaKey || target.closest("input, textarea, [contenteditable=true]")) return;
      event.preventDefault();
      input.current?.focus();
    };
    window.addEventListener("keydown", focus);
    return () => window.removeEventListener("keydown", focus);
  }, []);
  const search = async (event: FormEvent) => {
    event.preventDefault();
    const wanted = value.trim();
    if (wanted === "") return;
    if (runName.test(wanted)) {
      try {
        const run = await getJson<Run>(paths.runByName(wanted));
        if (run.properties.flowmend) return navigate(routes.run(run.properties.flowmend.flow, run.name));
      } catch {
        // There is no such run: the list of flows then says that nothing matches.
      }
    }
    // A flow's name, or else a value that runs recorded; each page leads to the other's answer.
    const isFlow = await getJson<Page<Flow>>(paths.flows({ $top: 250 }))
      .then((page) => page.value.some((flow) => flow.properties.displayName.toLowerCase().includes(wanted.toLowerCase())))
      .catch(() => true);
    navigate(isFlow ? `${routes.flows}?q=${encodeURIComponent(wanted)}` : `${routes.runs}?value=${encodeURIComponent(wanted)}`);
  };
  return (
    <form role="search" className="top-search" onSubmit={(event) => void search(event)}>
      <Input
        ref={input}
        type="search"
        aria-label={text.frame.search}
        aria-keyshortcuts="/"
        placeholder={text.frame.search}
        contentBefore={<SearchRegular />}
        value={value}
        onChange={(_, data) => setValue(data.value)}
      />
    </form>
  );
}

export function TopBar({ user }: { user: User }) {
  const [, navigate] = useLocation();
  const signOut = useSignOut();
  return (
    <header className="top-bar">
      <Link href={routes.home} className="product" aria-label={text.product}>
        <img src="/favicon.svg" alt="" width="28" height="28" />
        <span>{text.product}</span>
      </Link>
      <Search />
      <div className="top-tools">
        <NotificationsButton />
        <Menu>
          <MenuTrigger disableButtonEnhancement>
            <Tooltip content={text.frame.settings} relationship="label">
              <Button appearance="transparent" className="top-button" icon={<SettingsRegular />} />
            </Tooltip>
          </MenuTrigger>
          <MenuPopover>
            <MenuList>
              <MenuItem icon={<PlugConnectedRegular />} onClick={() => navigate(routes.connections)}>{text.frame.connections}</MenuItem>
              <MenuItem icon={<AppsListRegular />} onClick={() => navigate(routes.connectors)}>{text.frame.connectors}</MenuItem>
              <MenuItem icon={<BracesRegular />} onClick={() => navigate(routes.variables)}>{text.frame.variables}</MenuItem>
              {user.role === "admin" && <MenuItem icon={<PersonSupportRegular />} onClick={() => navigate(routes.people)}>{text.frame.people}</MenuItem>}
              <MenuItem icon={<KeyRegular />} onClick={() => navigate(routes.tokens)}>{text.frame.tokens}</MenuItem>
              <MenuItem icon={<AlertRegular />} onClick={() => navigate(routes.notifications)}>{text.frame.notifications}</MenuItem>
              <MenuItem icon={<InfoRegular />} onClick={() => navigate(routes.about)}>{text.frame.about}</MenuItem>
            </MenuList>
          </MenuPopover>
        </Menu>
        <Menu>
          <MenuTrigger disableButtonEnhancement>
            <Tooltip content={text.frame.account} relationship="label">
              <Button appearance="transparent" className="top-button" icon={<PersonRegular />} />
            </Tooltip>
          </MenuTrigger>
          <MenuPopover>
            <MenuList>
              <div className="account-name">
                <strong>{user.displayName || user.userName}</strong>
                <span>{user.userName}</span>
              </div>
              <MenuDivider />
              <MenuItem icon={<PersonRegular />} onClick={() => navigate(routes.account)}>{text.frame.myAccount}</MenuItem>
              <MenuItem icon={<SignOutRegular />} onClick={() => void signOut()}>{text.frame.signOut}</MenuItem>
            </MenuList>
          </MenuPopover>
        </Menu>
      </div>
    </header>
  );
}

import { Button } from "@fluentui/react-components";
import { lazy, Suspense, useId, useState } from "react";
import { items, useConnector, useConnectors, useSession } from "../../api/queries";
import type { Connector } from "../../api/types";
import { AppsListRegular, BoxRegular } from "../../parts/icons";
import { Empty, ListFrame, Loading, Page, Problem } from "../../parts/page";
import { text } from "../../text";
import "./connectors.css";

const SignInDialog = lazy(() => import("./sign_in_dialog"));
const ImportDialog = lazy(() => import("./import_dialog"));
const AboutDialog = lazy(() => import("./about_dialog"));

interface Operation {
  id: string;
  summary: string;
  description?: string;
  call: string;
}

const verbs = new Set(["get", "put", "post", "delete", "options", "head", "patch"]);

/** The operations that a connector's document describes, those that are only for designers left out. */
function operationsOf(connector: Connector): Operation[] {
  const { swagger } = connector.properties;
  return Object.entries(swagger?.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([method]) => verbs.has(method))
      .map(([method, operation]) => ({
        id: operation.operationId ?? `${method} ${path}`,
        summary: operation.summary ?? operation.operationId ?? path,
        description: operation.description,
        call: `${method.toUpperCase()} ${path}`,
      })),
  );
}

function Operations({ api }: { api: string }) {
  const connector = useConnector(api);
  if (connector.isPending) return <Loading />;
  if (connector.isError) return <Problem error={connector.error} retry={() => void connector.refetch()} />;
  return (
    <ul className="operations">
      {operationsOf(connector.data).map((operation) => (
        <li key={operation.id}>
          <strong>{operation.summary}</strong>
          <code className="breakable">{operation.call}</code>
          {operation.description && <span className="quiet">{operation.description}</span>}
        </li>
      ))}
    </ul>
  );
}

function Card({ connector, admin }: { connector: Connector; admin: boolean }) {
  const [open, setOpen] = useState(false);
  const [signIn, setSignIn] = useState(false);
  const [about, setAbout] = useState(false);
  const signsIn = Object.values(connector.properties.connectionParameters ?? {}).some((one) => one.type?.toLowerCase() === "oauthsetting");
  const id = useId();
  const { displayName, description, flowmend } = connector.properties;
  return (
    <li className="panel connector">
      <h2>
        <BoxRegular aria-hidden /> {displayName}
      </h2>
      {description && <p>{description}</p>}
      <p className="quiet">{[connector.name, flowmend?.kind && text.connectors.kind[flowmend.kind], flowmend?.host, flowmend?.builtIn && text.connectors.builtIn].filter(Boolean).join(" · ")}</p>
      <Button size="small" aria-expanded={open} aria-controls={id} aria-label={`${open ? text.connectors.hideOperations : text.connectors.showOperations}: ${displayName}`} onClick={() => setOpen(!open)}>
        {open ? text.connectors.hideOperations : text.connectors.showOperations}
      </Button>
      {signsIn && (
        <Button size="small" aria-label={`${text.connectors.signIn.open}: ${displayName}`} onClick={() => setSignIn(true)}>
          {text.connectors.signIn.open}
        </Button>
      )}
      {!flowmend?.builtIn && (
        <Button size="small" aria-label={`${text.connectors.about.open}: ${displayName}`} onClick={() => setAbout(true)}>
          {text.connectors.about.open}
        </Button>
      )}
      <Suspense fallback={null}>
        {signIn && <SignInDialog api={connector.name} onClose={() => setSignIn(false)} />}
        {about && <AboutDialog connector={connector} admin={admin} onClose={() => setAbout(false)} />}
      </Suspense>
      <div id={id}>{open && <Operations api={connector.name} />}</div>
    </li>
  );
}

export default function ConnectorsPage() {
  const list = useConnectors();
  const all = items(list);
  const admin = useSession().data?.user.role === "admin";
  const [importing, setImporting] = useState(false);
  return (
    <Page
      title={text.connectors.title}
      actions={
        admin && (
          <Button appearance="primary" onClick={() => setImporting(true)}>
            {text.connectors.import.open}
          </Button>
        )
      }
    >
      <Suspense fallback={null}>{importing && <ImportDialog onClose={() => setImporting(false)} />}</Suspense>
      <ListFrame list={list} count={all.length} empty={<Empty icon={<AppsListRegular />} title={text.connectors.empty} hint={text.connectors.emptyHint} />}>
        <ul className="gallery">
          {all.map((connector) => (
            <Card key={connector.name} connector={connector} admin={admin} />
          ))}
        </ul>
      </ListFrame>
    </Page>
  );
}

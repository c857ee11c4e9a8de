import { Button } from "@fluentui/react-components";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { routes } from "../../api/paths";
import type { User } from "../../api/types";
import { AlertRegular, AppsListRegular, BoxRegular, BracesRegular, CheckmarkCircleRegular, ChevronRightRegular, HistoryRegular, InfoRegular, KeyRegular, PersonRegular, PersonSupportRegular, PlugConnectedRegular } from "../../parts/icons";
import { Page } from "../../parts/page";
import { text } from "../../text";

const places: { to: string; label: string; icon: ReactNode; admin?: boolean }[] = [
  { to: routes.approvals, label: text.frame.approvals, icon: <CheckmarkCircleRegular /> },
  { to: routes.runs, label: text.frame.runs, icon: <HistoryRegular /> },
  { to: routes.connections, label: text.frame.connections, icon: <PlugConnectedRegular /> },
  { to: routes.connectors, label: text.frame.connectors, icon: <AppsListRegular /> },
  { to: routes.tables, label: text.frame.tables, icon: <BoxRegular /> },
  { to: routes.variables, label: text.frame.variables, icon: <BracesRegular /> },
  { to: routes.people, label: text.frame.people, icon: <PersonSupportRegular />, admin: true },
  { to: routes.account, label: text.frame.myAccount, icon: <PersonRegular /> },
  { to: routes.tokens, label: text.frame.tokens, icon: <KeyRegular /> },
  { to: routes.notifications, label: text.frame.notifications, icon: <AlertRegular /> },
  { to: routes.about, label: text.frame.about, icon: <InfoRegular /> },
];

/** What the side navigation and the gear hold, for a phone. */
export default function MorePage({ user, onSignOut }: { user: User; onSignOut: () => void }) {
  return (
    <Page title={text.more.title}>
      <ul className="cards">
        {places.filter((place) => !place.admin || user.role === "admin").map((place) => (
          <li key={place.to}>
            <Link href={place.to} className="card">
              <span aria-hidden className="nav-icon">
                {place.icon}
              </span>
              <span className="card-words">{place.label}</span>
              <ChevronRightRegular aria-hidden className="card-arrow" />
            </Link>
          </li>
        ))}
      </ul>
      <p className="quiet">{user.displayName || user.userName}</p>
      <div>
        <Button onClick={onSignOut}>{text.frame.signOut}</Button>
      </div>
    </Page>
  );
}

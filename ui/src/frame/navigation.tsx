import type { ReactNode } from "react";
import { Link, useLocation } from "wouter";
import { routes } from "../api/paths";
import { AppsListRegular, BoxRegular, CheckmarkCircleRegular, FlowRegular, HistoryRegular, HomeRegular, MoreHorizontalRegular, PlugConnectedRegular, PulseRegular, WarningRegular } from "../parts/icons";
import { text } from "../text";

interface Place {
  to: string;
  label: string;
  icon: ReactNode;
  /** Other addresses that belong to this place. */
  also?: string[];
}

const side: Place[] = [
  { to: routes.home, label: text.frame.home, icon: <HomeRegular /> },
  { to: routes.flows, label: text.frame.flows, icon: <FlowRegular /> },
  { to: routes.runs, label: text.frame.runs, icon: <HistoryRegular /> },
  { to: routes.incidents, label: text.frame.incidents, icon: <WarningRegular /> },
  { to: routes.approvals, label: text.frame.approvals, icon: <CheckmarkCircleRegular /> },
  { to: routes.connections, label: text.frame.connections, icon: <PlugConnectedRegular /> },
  { to: routes.connectors, label: text.frame.connectors, icon: <AppsListRegular /> },
  { to: routes.tables, label: text.frame.tables, icon: <BoxRegular /> },
];

const tabs: Place[] = [
  { to: routes.home, label: text.frame.activity, icon: <PulseRegular />, also: [routes.runs] },
  { to: routes.flows, label: text.frame.flows, icon: <FlowRegular /> },
  { to: routes.incidents, label: text.frame.incidents, icon: <WarningRegular /> },
  { to: routes.more, label: text.frame.more, icon: <MoreHorizontalRegular />, also: [routes.connections, routes.connectors, routes.approvals, routes.tables, "/settings"] },
];

export function Navigation({ phone }: { phone: boolean }) {
  const [location] = useLocation();
  const isHere = (place: Place) =>
    [place.to, ...(place.also ?? [])].some((to) => (to === "/" ? location === "/" : location === to || location.startsWith(`${to}/`)));
  return (
    <nav aria-label={text.frame.navigation} className={phone ? "bottom-tabs" : "side-nav"}>
      <ul>
        {(phone ? tabs : side).map((place) => (
          <li key={place.to}>
            <Link href={place.to} className={isHere(place) ? "here" : ""} aria-current={isHere(place) ? "page" : undefined}>
              <span aria-hidden className="nav-icon">
                {place.icon}
              </span>
              {place.label}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

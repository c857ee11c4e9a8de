import { Button, Popover, PopoverSurface, PopoverTrigger, Tooltip } from "@fluentui/react-components";
import { useRef, useState } from "react";
import { useLocation } from "wouter";
import { routes } from "../api/paths";
import { useMarkRead, useNotifications } from "../api/queries";
import type { NotificationItem } from "../api/types";
import { isConnectionCause, useMend } from "../pages/incidents/use_mend";
import { AlertRegular, CheckmarkCircleFilled, ClockRegular, ErrorCircleFilled, KeyRegular, PlugDisconnectedRegular } from "../parts/icons";
import { Empty, Loading, Problem } from "../parts/page";
import { ago, when } from "../parts/time";
import { text } from "../text";

/** The failed run; for a cause that no run met yet, what is known of the cause. */
const target = (item: NotificationItem): string =>
  item.flow && item.run ? routes.run(item.flow, item.run) : routes.incident(item.id);

/** Items keep their places while the list is open, and new ones come below: nothing moves under a pointer. */
function useSteadyOrder(items: NotificationItem[], open: boolean): NotificationItem[] {
  const places = useRef(new Map<string, number>());
  if (!open) {
    places.current.clear();
    return items;
  }
  for (const item of items) if (!places.current.has(item.id)) places.current.set(item.id, places.current.size);
  const place = (item: NotificationItem) => places.current.get(item.id) ?? 0;
  return [...items].sort((a, b) => place(a) - place(b));
}

/** The bell: what failed or broke, newest first, one click from the run. */
export function NotificationsButton() {
  const [open, setOpen] = useState(false);
  const [mendDialogs, mend] = useMend();
  const [, navigate] = useLocation();
  const notifications = useNotifications();
  const markRead = useMarkRead();
  const unread = notifications.data?.unread ?? 0;
  const all = useSteadyOrder(notifications.data?.value ?? [], open);
  const choose = (item: NotificationItem) => {
    setOpen(false);
    if (!item.read) markRead.mutate({ ids: [item.id] });
    navigate(target(item));
  };
  return (
    <>
    <Popover open={open} onOpenChange={(_, data) => setOpen(data.open)} positioning="below-end" trapFocus>
      <PopoverTrigger disableButtonEnhancement>
        <Tooltip content={text.frame.notifications} relationship="label">
          <Button
            appearance="transparent"
            className="top-button"
            aria-describedby="unread-count"
            icon={
              <span className="bell">
                <AlertRegular />
                {unread > 0 && (
                  // Drawn by the style sheet: as text it would be part of what the button is called.
                  <span className="bell-count" aria-hidden data-count={unread > 99 ? "99+" : unread} />
                )}
              </span>
            }
          />
        </Tooltip>
      </PopoverTrigger>
      <PopoverSurface className="notifications" aria-label={text.frame.notifications}>
        <div className="notifications-head">
          <h2>{text.frame.notifications}</h2>
          {unread > 0 && (
            <Button size="small" appearance="subtle" onClick={() => markRead.mutate({ all: true })}>
              {text.frame.markAllRead}
            </Button>
          )}
        </div>
        {notifications.isPending && <Loading />}
        {notifications.isError && <Problem error={notifications.error} retry={() => void notifications.refetch()} />}
        {notifications.isSuccess && all.length === 0 && (
          <Empty icon={<CheckmarkCircleFilled />} title={text.frame.noNotifications} hint={text.frame.noNotificationsHint} />
        )}
        <ul>
          {all.map((item) => (
            <li key={item.id}>
              <button type="button" className={item.read ? "notification" : "notification notification-new"} onClick={() => choose(item)}>
                <span className="notification-icon tone-bad" aria-hidden>
                  {item.kind === "connectionBroken" ? <PlugDisconnectedRegular /> : item.kind === "silence" ? <ClockRegular /> : <ErrorCircleFilled />}
                </span>
                <span className="notification-words">
                  <strong>{item.title}</strong>
                  <span className="clamp">{item.message}</span>
                  <span className="quiet" title={when(item.time)}>
                    {[item.title.includes(item.flowDisplayName ?? "\0") ? undefined : item.flowDisplayName, ago(item.time), item.count > 1 ? text.frame.times(item.count) : undefined]
                      .filter(Boolean)
                      .join(" · ")}
                  </span>
                </span>
              </button>
              {isConnectionCause(item) && (
                <Button
                  className="notification-cure"
                  size="small"
                  icon={<KeyRegular />}
                  onClick={() => {
                    setOpen(false);
                    if (!item.read) markRead.mutate({ ids: [item.id] });
                    mend(item);
                  }}
                >
                  {text.incidents.verify}
                </Button>
              )}
            </li>
          ))}
        </ul>
      </PopoverSurface>
    </Popover>
      {mendDialogs}
      <span id="unread-count" className="unseen" role="status">
        {unread > 0 ? text.frame.unread(unread) : ""}
      </span>
    </>
  );
}

import type { User } from "../../api/types";
import { Loading, Page, Problem } from "../../parts/page";
import { text } from "../../text";
import "../settings/settings.css";
import { Devices, Mine } from "./mine";
import "./notifications.css";
import { MailServer, Outbox, Webhook } from "./server";
import { useMine, useServerSettings } from "./settings";

/** Settings > Notifications: what a person wants to hear, on which devices; for the operator where it goes out. */
export default function NotificationsPage({ user }: { user: User }) {
  const admin = user.role === "admin";
  const mine = useMine();
  const server = useServerSettings(admin);
  return (
    <Page title={text.notify.title}>
      <p className="lead">{text.notify.lead}</p>
      {(mine.isPending || (admin && server.isPending)) && <Loading />}
      {mine.isError && <Problem error={mine.error} retry={() => void mine.refetch()} />}
      {mine.data && <Mine mine={mine.data} />}
      {mine.data && <Devices mine={mine.data} />}
      {server.isError && <Problem error={server.error} retry={() => void server.refetch()} />}
      {server.data && <MailServer settings={server.data.smtp} />}
      {server.data && <Webhook settings={server.data.webhook} />}
      {admin && <Outbox />}
    </Page>
  );
}

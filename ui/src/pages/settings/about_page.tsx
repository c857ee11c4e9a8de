import { useAbout } from "../../api/queries";
import { Loading, Page, Problem } from "../../parts/page";
import { ago, when } from "../../parts/time";
import { text } from "../../text";
import "./settings.css";

export default function AboutPage() {
  const about = useAbout();
  const data = about.data;
  return (
    <Page title={text.about.title}>
      {about.isPending && <Loading />}
      {about.isError && <Problem error={about.error} retry={() => void about.refetch()} />}
      {data && (
        <section className="panel">
          <dl className="pairs">
            {(
              [
                [text.about.version, data.version],
                [text.about.publicUrl, data.publicUrl],
                [text.about.dataFolder, data.dataFolder],
                [text.about.store, data.store],
                [text.about.started, `${when(data.startedTime)} (${ago(data.startedTime)})`],
                [text.about.demo, data.demo ? text.about.on : text.about.off],
                [text.about.licence, text.about.licenceValue],
              ] as const
            ).map(([label, value]) => (
              <div key={label}>
                <dt>{label}</dt>
                <dd className="breakable">{value}</dd>
              </div>
            ))}
          </dl>
        </section>
      )}
    </Page>
  );
}

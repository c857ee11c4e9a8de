import { Button, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle } from "@fluentui/react-components";
import { paths } from "../../api/paths";
import { useReport } from "../../api/queries";
import { CopyButton, DownloadButton } from "../../parts/copy";
import { Loading, Problem } from "../../parts/page";
import { text } from "../../text";

/** The report of a failure, to be given to someone who can help. The server masks what is secret. */
export default function HelpDialog({ run, onClose }: { run: string; onClose: () => void }) {
  const report = useReport(run, true);
  return (
    <Dialog open onOpenChange={(_, data) => !data.open && onClose()}>
      <DialogSurface className="help-dialog">
        <DialogBody>
          <DialogTitle>{text.run.reportTitle}</DialogTitle>
          <DialogContent>
            <p>{text.run.reportHint}</p>
            <p className="quiet">{text.run.capsuleHint}</p>
            {report.isPending && <Loading />}
            {report.isError && <Problem error={report.error} retry={() => void report.refetch()} />}
            {report.data && (
              <pre className="report" tabIndex={0} role="region" aria-label={report.data.title}>
                {report.data.markdown}
              </pre>
            )}
          </DialogContent>
          <DialogActions fluid>
            {report.data && (
              <>
                <DownloadButton value={report.data.markdown} name={`flowmend-run-${run}.md`} type="text/markdown" label={text.run.downloadReport} appearance="secondary" />
                <Button as="a" href={paths.capsule(run)} download={`flowmend-run-${run}.capsule.json`}>
                  {text.run.downloadCapsule}
                </Button>
                <CopyButton value={report.data.markdown} label={text.run.copyReport} appearance="primary" />
              </>
            )}
            <Button onClick={onClose}>{text.common.close}</Button>
          </DialogActions>
        </DialogBody>
      </DialogSurface>
    </Dialog>
  );
}

import { Button, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle } from "@fluentui/react-components";
import { text } from "../text";

/** Asks before something is lost. */
export function ConfirmDialog(props: { title: string; hint: string; confirm: string; onConfirm: () => void; onClose: () => void }) {
  return (
    <Dialog open modalType="alert" onOpenChange={(_, data) => !data.open && props.onClose()}>
      <DialogSurface>
        <DialogBody>
          <DialogTitle>{props.title}</DialogTitle>
          <DialogContent>{props.hint}</DialogContent>
          <DialogActions>
            <Button onClick={props.onClose}>{text.common.cancel}</Button>
            <Button
              appearance="primary"
              className="danger"
              onClick={() => {
                props.onConfirm();
                props.onClose();
              }}
            >
              {props.confirm}
            </Button>
          </DialogActions>
        </DialogBody>
      </DialogSurface>
    </Dialog>
  );
}

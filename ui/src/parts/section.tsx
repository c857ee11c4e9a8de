import { type ReactNode, useId, useState } from "react";
import { ChevronDownRegular, ChevronRightRegular } from "./icons";

/** A titled part that folds. Its content is made when it is first opened, so that large values load on demand. */
export function Section(props: { title: string; beside?: ReactNode; startsOpen?: boolean; children: ReactNode }) {
  const [open, setOpen] = useState(props.startsOpen ?? false);
  const id = useId();
  return (
    <section className="section">
      <h3>
        <button type="button" className="section-toggle" aria-expanded={open} aria-controls={id} onClick={() => setOpen(!open)}>
          {open ? <ChevronDownRegular aria-hidden /> : <ChevronRightRegular aria-hidden />}
          <span>{props.title}</span>
          {props.beside && <span className="section-beside">{props.beside}</span>}
        </button>
      </h3>
      <div id={id} hidden={!open} className="section-content">
        {open && props.children}
      </div>
    </section>
  );
}

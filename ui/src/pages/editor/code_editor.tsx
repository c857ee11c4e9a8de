import { autocompletion, closeBrackets, closeBracketsKeymap, type CompletionContext, type CompletionResult, completionKeymap, insertCompletionText } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { json } from "@codemirror/lang-json";
import { bracketMatching, foldGutter, foldKeymap, HighlightStyle, indentOnInput, syntaxHighlighting, syntaxTree } from "@codemirror/language";
import { type Diagnostic, lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, hoverTooltip, keymap, lineNumbers, type Tooltip } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useImperativeHandle, useRef, type Ref } from "react";
import type { FunctionHelp } from "../../api/types";
import { escapeToken } from "./json_text";
import { aboutPlace, namesAt, placeOf, valuesAt } from "./schema";

export interface CodeEditorHandle {
  /** Puts the cursor there, selects to `to`, and scrolls it to the middle. */
  reveal: (from: number, to?: number) => void;
  /** Puts `text` in the place of a part, as if it had been typed there. */
  replace: (from: number, to: number, text: string) => void;
}

export interface Mark {
  from: number;
  to: number;
  severity: "error" | "warning";
  message: string;
}

interface CodeEditorProps {
  initial: string;
  label: string;
  marks: Mark[];
  schema: unknown;
  functions: FunctionHelp[];
  onChange: (text: string) => void;
  onSave: () => void;
  /** Where the cursor stands now. */
  onCursor: (place: number) => void;
  ref: Ref<CodeEditorHandle>;
}

// Colours are Fluent's, so light, dark and high contrast follow the page.
const highlight = HighlightStyle.define([
  { tag: tags.propertyName, color: "var(--colorBrandForeground1)" },
  { tag: tags.string, color: "var(--good)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--busy)" },
  { tag: tags.punctuation, color: "var(--colorNeutralForeground3)" },
]);

const look = EditorView.theme({
  "&": { height: "100%", fontSize: "13px", backgroundColor: "var(--colorNeutralBackground1)", color: "var(--colorNeutralForeground1)" },
  ".cm-scroller": { fontFamily: "var(--fontFamilyMonospace)", lineHeight: "20px" },
  ".cm-content": { caretColor: "var(--colorNeutralForeground1)" },
  ".cm-cursor": { borderLeftColor: "var(--colorNeutralForeground1)" },
  ".cm-gutters": { backgroundColor: "var(--colorNeutralBackground2)", color: "var(--colorNeutralForeground3)", border: "none" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--colorBrandBackground) 8%, transparent)" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "color-mix(in srgb, var(--colorBrandBackground) 28%, transparent) !important" },
  ".cm-tooltip": { backgroundColor: "var(--colorNeutralBackground1)", color: "var(--colorNeutralForeground1)", border: "1px solid var(--colorNeutralStroke1)", borderRadius: "6px", boxShadow: "var(--shadow8)" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--colorBrandBackground)", color: "#fff" },
  ".cm-help": { padding: "8px 10px", maxWidth: "420px", whiteSpace: "pre-wrap" },
  ".cm-panels": { backgroundColor: "var(--colorNeutralBackground2)", color: "var(--colorNeutralForeground1)" },
});

/** The pointer of the value around a place, read from the syntax tree: it is there also while the text is broken. */
function contextAt(state: EditorState, place: number): { pointer: string; kind: "name" | "value"; from: number; inString: boolean } {
  let node = syntaxTree(state).resolveInner(place, -1);
  const textOf = (from: number, to: number) => state.sliceDoc(from, to);
  const nameOf = (property: typeof node): string => {
    const name = property.getChild("PropertyName");
    if (!name) return "";
    try {
      return JSON.parse(textOf(name.from, name.to)) as string;
    } catch {
      return textOf(name.from, name.to).replaceAll('"', "");
    }
  };
  const start = node;
  const isName = node.name === "PropertyName" || node.name === "Object" || (node.name === "⚠" && node.parent?.name === "Object");
  const path: string[] = [];
  let inner = node;
  if (node.name === "PropertyName" && node.parent) node = node.parent;
  // A name that is being written belongs to the object around it, not to itself.
  if (isName && node.name === "Property" && node.parent) {
    inner = node;
    node = node.parent;
  }
  for (;;) {
    if (node.name === "Property") path.unshift(escapeToken(nameOf(node)));
    else if (node.name === "Array") {
      let index = 0;
      for (let child = node.firstChild; child && child.from < inner.from; child = child.nextSibling) if (child.name !== "[" && child.name !== ",") index += 1;
      if (inner !== node) path.unshift(String(index));
    }
    inner = node;
    if (!node.parent) break;
    node = node.parent;
  }
  return { pointer: path.map((part) => `/${part}`).join(""), kind: isName ? "name" : "value", from: start.from, inString: start.name === "String" };
}

const functionBefore = /[A-Za-z][A-Za-z0-9]*$/;

function completions(schema: () => unknown, functions: () => FunctionHelp[]) {
  return (context: CompletionContext): CompletionResult | null => {
    const at = contextAt(context.state, context.pos);
    if (at.inString) {
      // Inside an expression: the functions of the language.
      const before = context.state.sliceDoc(at.from, context.pos);
      if (before.includes("@")) {
        const word = functionBefore.exec(before)?.[0] ?? "";
        if (word === "" && !context.explicit) return null;
        return {
          from: context.pos - word.length,
          validFor: /^[A-Za-z0-9]*$/,
          options: functions().map((one) => ({
            label: one.name,
            type: "function",
            detail: one.arguments,
            info: one.about,
            apply: (view, _completion, from, to) => {
              const transaction = insertCompletionText(view.state, `${one.name}()`, from, to);
              view.dispatch({ ...transaction, selection: { anchor: from + one.name.length + 1 } });
            },
          })),
        };
      }
    }
    const token = context.matchBefore(/"?[\w$-]*/);
    if (!context.explicit && (!token || token.from === token.to)) return null;
    const from = token?.from ?? context.pos;
    const after = context.state.sliceDoc(context.pos, context.pos + 1);
    if (at.kind === "name") {
      const names = namesAt(schema(), placeOf(schema(), at.pointer));
      const to = after === '"' ? context.pos + 1 : context.pos;
      return { from, to, options: names.map((one) => ({ label: `"${one.name}"`, type: "property", info: one.about, apply: `"${one.name}": ` })) };
    }
    const values = valuesAt(placeOf(schema(), at.pointer));
    if (values.length === 0) return null;
    return { from, to: after === '"' && token?.text.startsWith('"') ? context.pos + 1 : context.pos, options: values.map((value) => ({ label: value, type: "enum" })) };
  };
}

function help(schema: () => unknown, functions: () => FunctionHelp[]) {
  return hoverTooltip((view, place): Tooltip | null => {
    const line = view.state.doc.lineAt(place);
    const at = contextAt(view.state, place);
    const word = [...line.text.matchAll(/[A-Za-z][A-Za-z0-9]*/g)].find((match) => line.from + match.index <= place && place <= line.from + match.index + match[0].length);
    const known = at.inString && word ? functions().find((one) => one.name.toLowerCase() === word[0].toLowerCase()) : undefined;
    const name = view.state.sliceDoc(at.from, at.from + 1) === '"' && at.kind === "name";
    let said: string | undefined;
    if (known) said = [known.arguments, known.about, known.example && `${known.example}${known.gives ? ` gives ${known.gives}` : ""}`].filter(Boolean).join("\n");
    else if (name && word) said = aboutPlace(placeOf(schema(), `${at.pointer}/${escapeToken(word[0])}`));
    if (!said || !word) return null;
    return {
      pos: line.from + word.index,
      end: line.from + word.index + word[0].length,
      above: true,
      create: () => {
        const dom = document.createElement("div");
        dom.className = "cm-help";
        dom.textContent = said;
        return { dom };
      },
    };
  });
}

/** The code view: JSON with the checker's marks in place, help from the schema and from the expression language. */
export default function CodeEditor(props: CodeEditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  // CodeMirror keeps the functions it was made with; they read what is current through this.
  const current = useRef(props);
  current.current = props;

  useEffect(() => {
    if (!host.current) return;
    const made = new EditorView({
      parent: host.current,
      state: EditorState.create({
        doc: current.current.initial,
        extensions: [
          lineNumbers(),
          foldGutter(),
          lintGutter(),
          history(),
          drawSelection(),
          indentOnInput(),
          bracketMatching(),
          closeBrackets(),
          highlightActiveLine(),
          highlightActiveLineGutter(),
          highlightSelectionMatches(),
          search({ top: true }),
          json(),
          syntaxHighlighting(highlight),
          look,
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ "aria-label": current.current.label, tabindex: "0" }),
          autocompletion({ override: [completions(() => current.current.schema, () => current.current.functions)] }),
          help(() => current.current.schema, () => current.current.functions),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) current.current.onChange(update.state.doc.toString());
            if (update.docChanged || update.selectionSet) current.current.onCursor(update.state.selection.main.head);
          }),
          keymap.of([
            { key: "Mod-s", preventDefault: true, run: () => (current.current.onSave(), true) },
            // Tab indents, as makers expect; Escape and then Tab leaves the editor for those who work by keyboard.
            ...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...foldKeymap, ...completionKeymap, ...lintKeymap, indentWithTab,
          ]),
        ],
      }),
    });
    view.current = made;
    return () => made.destroy();
  }, []);

  useEffect(() => {
    const editor = view.current;
    if (!editor) return;
    const length = editor.state.doc.length;
    const diagnostics: Diagnostic[] = props.marks.map((mark) => ({
      from: Math.min(mark.from, length),
      to: Math.min(Math.max(mark.to, mark.from), length),
      severity: mark.severity,
      message: mark.message,
    }));
    editor.dispatch(setDiagnostics(editor.state, diagnostics));
  }, [props.marks]);

  useImperativeHandle(props.ref, () => ({
    reveal: (from, to = from) => {
      const editor = view.current;
      if (!editor) return;
      const length = editor.state.doc.length;
      const anchor = Math.min(from, length);
      editor.dispatch({ selection: { anchor, head: Math.min(to, length) }, effects: EditorView.scrollIntoView(anchor, { y: "center" }) });
      editor.focus();
    },
    replace: (from, to, insert) => {
      const editor = view.current;
      if (!editor || to > editor.state.doc.length) return;
      editor.dispatch({ changes: { from, to, insert }, selection: { anchor: from + insert.length }, userEvent: "input.complete", scrollIntoView: true });
    },
  }));
  return <div ref={host} className="code-editor" />;
}

/** The flow's text, with what is wrong marked in it and completion of what may stand there. */
import { autocompletion } from "@codemirror/autocomplete";
import { json } from "@codemirror/lang-json";
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, setDiagnostics, type Diagnostic } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { tags } from "@lezer/highlight";
import { basicSetup, EditorView } from "codemirror";
import { useEffect, useRef } from "react";
import { completer } from "./completion";
import type { Fault } from "./data";
import { faultSpot, spotOf } from "./place";
import { useWords } from "./useWords";
import "./JsonEditor.css";

/** A fault's place, a node's, or the beginning. */
export interface Jump {
  node: string;
  fault?: Fault | undefined;
  turn: number;
}

interface Props {
  text: string;
  label: string;
  onChange?: (text: string) => void;
  faults?: Fault[];
  /** Queues by id, for completion. */
  queues?: readonly string[];
  /** Shows a place; another `turn` shows it again. */
  jump?: Jump;
}

const colours = HighlightStyle.define([
  { tag: tags.propertyName, color: "var(--code-key)" },
  { tag: tags.string, color: "var(--code-text)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--code-value)" },
]);

const NONE: Fault[] = [];

export default function JsonEditor(props: Props) {
  const { text, faults = NONE, jump } = props;
  const { faultWords } = useWords();
  const host = useRef<HTMLDivElement>(null);
  const editor = useRef<EditorView | null>(null);
  const latest = useRef(props);
  useEffect(() => {
    latest.current = props;
  });
  useEffect(() => {
    const { label, onChange } = latest.current;
    const view = new EditorView({
      parent: host.current as HTMLElement,
      state: EditorState.create({
        doc: latest.current.text,
        extensions: [
          basicSetup,
          json(),
          syntaxHighlighting(colours),
          lintGutter(),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ "aria-label": label }),
          autocompletion({ override: [completer(() => latest.current.queues ?? [])] }),
          EditorState.readOnly.of(!onChange),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) latest.current.onChange?.(update.state.doc.toString());
          }),
        ],
      }),
    });
    editor.current = view;
    return () => {
      view.destroy();
      editor.current = null;
    };
  }, []);
  useEffect(() => {
    const view = editor.current;
    if (!view || view.state.doc.toString() === text) return;
    view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
  }, [text]);
  useEffect(() => {
    const view = editor.current;
    if (!view) return;
    const doc = view.state.doc.toString();
    const marks = faults.map((fault): Diagnostic => {
      return {
        ...faultSpot(doc, fault),
        severity: "error",
        message: `${faultWords(fault)}. ${fault.message}`,
      };
    });
    view.dispatch(setDiagnostics(view.state, marks));
  }, [faults, faultWords]);
  useEffect(() => {
    const view = editor.current;
    if (!view || !jump?.turn) return;
    const doc = view.state.doc.toString();
    const { node, fault } = jump;
    const spot = fault
      ? faultSpot(doc, fault)
      : node
        ? spotOf(doc, ["nodes", node])
        : { from: 0, to: 0 };
    if (!spot) return;
    view.dispatch({
      selection: { anchor: spot.from, head: spot.to },
      effects: EditorView.scrollIntoView(spot.from, { y: "center" }),
    });
    view.focus();
  }, [jump]);
  return <div ref={host} className="json-editor" />;
}

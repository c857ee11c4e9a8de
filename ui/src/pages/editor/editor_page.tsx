export default function EditorPage(_: { flow: string }) { return null; }

/** Notes that were saved, with who wrote them and when. */
import { Stack, Text } from "@mantine/core";
import type { Schema } from "@/api/types";
import { ms } from "@/api/types";
import { when } from "@/i18n/format";

export function NoteList({ notes }: { notes: Schema<"crm.v1.Note">[] }) {
  if (notes.length === 0) return null;
  return (
    <Stack gap="xs">
      {notes.map((note) => (
        <div key={`${note.at_ms}${note.author_id}${note.text}`}>
          <Text size="xs" c="dimmed">
            {note.author_name} · {when(ms(note.at_ms))}
          </Text>
          <Text size="sm" style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
            {note.text}
          </Text>
        </div>
      ))}
    </Stack>
  );
}

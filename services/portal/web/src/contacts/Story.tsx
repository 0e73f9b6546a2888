/** A contact as it went: from the first INVITE to the end of its wrap-up. */
import { Box, Button, Grid, Group, Paper, Skeleton, Stack, Text } from "@mantine/core";
import { IconRefresh, IconWaveSine } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api, told } from "@/api/client";
import { ms, type Schema } from "@/api/types";
import { Link, useParams } from "@/app/go";
import { length, when } from "@/i18n/format";
import { usePhone } from "@/i18n/phone";
import { Facts } from "@/recordings/Facts";
import { RecordingPlayer, useRecording } from "@/recordings/Player";
import { ErrorNote } from "@/ui/notes";
import { Page } from "@/ui/Page";
import { useMenuPath } from "@/ui/useMenuPath";
import { CustomerLink } from "./CustomerLink";
import { LadderDiagram } from "./LadderDiagram";
import { Notes } from "./Notes";
import { Outcome } from "./Outcome";
import { Stays } from "./Stays";
import { Timeline } from "./Timeline";
import { useSay } from "./useSay";
import { endingWords } from "./words";

type ContactStory = Schema<"analytics.v1.Story">;

export default function Story() {
  const { t } = useTranslation(["contacts", "common"]);
  const { id = "" } = useParams<{ id: string }>();
  const story = useQuery({
    queryKey: ["story", id],
    queryFn: () =>
      told(api.GET("/v1/stories/{contact_id}", { params: { path: { contact_id: id } } })),
  });
  const recording = useRecording(id);
  const back = { to: "/contacts", label: t("list.title") };
  if (!story.data)
    return (
      <Page title={t("story.title")} back={back}>
        {story.error ? (
          <ErrorNote problem={story.error} onRetry={() => void story.refetch()} />
        ) : (
          <Skeleton height={420} radius="lg" />
        )}
      </Page>
    );
  const shown = story.data;
  return (
    <Told
      story={shown}
      back={back}
      busy={story.isFetching}
      onRefresh={() => {
        void story.refetch();
        void recording.refetch();
      }}
      recorded={recording.data !== undefined}
    />
  );
}

interface ToldProps {
  story: ContactStory;
  back: { to: string; label: string };
  busy: boolean;
  onRefresh: () => void;
  recorded: boolean;
}

function Told({ story, back, busy, onRefresh, recorded }: ToldProps) {
  const { t } = useTranslation(["contacts", "common"]);
  const phone = usePhone();
  const { call, entries } = story;
  const number = story.from || entries[0]?.attributes.from || "";
  const began = ms(call?.started_at_ms) || ms(entries[0]?.offered_at_ms);
  const going = call !== undefined && !ms(call.ended_at_ms);
  const last = entries.at(-1);
  return (
    <Page
      title={phone(number) || t("who.withheldTitle")}
      back={back}
      lead={
        <Group gap="xs">
          <span className="tabular">{when(began)}</span>
          {call && !going && (
            <span className="tabular">· {length(ms(call.ended_at_ms) - began)}</span>
          )}
          {last && <Outcome exit={last.exit} />}
          {going && <Text span>{t("story.going")}</Text>}
        </Group>
      }
      actions={
        <>
          {recorded && (
            <Button
              component={Link}
              href={`/recordings/${encodeURIComponent(story.contact_id)}`}
              variant="default"
              leftSection={<IconWaveSine size={16} aria-hidden />}
            >
              {t("story.recording")}
            </Button>
          )}
          {going && (
            <Button
              variant="default"
              loading={busy}
              onClick={onRefresh}
              leftSection={<IconRefresh size={16} aria-hidden />}
            >
              {t("common:action.refresh")}
            </Button>
          )}
        </>
      }
    >
      <Summary story={story} number={number} />
      {recorded && (
        <Paper className="panel" p={{ base: "md", sm: "lg" }}>
          <RecordingPlayer recordingId={story.contact_id} shortcuts />
        </Paper>
      )}
      <Grid gap="lg" align="flex-start">
        <Grid.Col span={{ base: 12, md: 7 }}>
          <Paper className="panel" p={{ base: "md", sm: "lg" }}>
            <Timeline steps={story.steps} />
          </Paper>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 5 }}>
          <Stack gap="lg">
            <Stays entries={entries} />
            <Notes contactId={story.contact_id} />
          </Stack>
        </Grid.Col>
      </Grid>
      {!going && (
        <Paper className="panel" p={{ base: "md", sm: "lg" }}>
          <LadderDiagram steps={story.ladder} />
        </Paper>
      )}
    </Page>
  );
}

function Summary({ story, number }: { story: ContactStory; number: string }) {
  const { t } = useTranslation("contacts");
  const phone = usePhone();
  const say = useSay();
  const path = useMenuPath();
  const { call, entries } = story;
  const agents = [...new Set(entries.map((entry) => entry.agent_name).filter(Boolean))];
  const waited = entries.reduce((sum, entry) => sum + ms(entry.wait_ms), 0);
  const attributes = entries[0]?.attributes ?? {};
  return (
    <Paper className="panel" p={{ base: "md", sm: "lg" }} component="section">
      <Box>
        <Facts
          cols={4}
          facts={[
            { name: t("story.customer"), value: <CustomerLink number={number} /> },
            { name: t("list.called"), value: phone(story.to) },
            { name: t("list.agents"), value: agents.join(", ") },
            { name: t("story.why"), value: path(attributes.menu_path ?? "") },
            { name: t("list.wait"), value: entries.length > 0 ? length(waited) : "" },
            {
              name: t("story.ending"),
              value: call ? endingWords(call.termination, say) : "",
            },
            { name: t("story.ref"), value: entries[0]?.external_ref ?? "" },
            { name: t("story.id"), value: story.contact_id },
          ]}
        />
      </Box>
    </Paper>
  );
}

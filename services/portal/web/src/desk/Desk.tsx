/** The agent's desk: own state and day, the contact in hand, and whose it is. */
import { Box, Paper, Stack } from "@mantine/core";
import { IconHeadsetOff } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { noDesk } from "@/api/boards";
import { useStore } from "@/api/store";
import { ErrorBoundary } from "@/app/ErrorBoundary";
import { Page } from "@/ui/Page";
import { Empty } from "@/ui/notes";
import { Contacts } from "./contact/Contacts";
import { Customer } from "./customer/Customer";
import { OwnFigures } from "./OwnFigures";
import { StateCard } from "./StateCard";
import { useChosen } from "./useChosen";
import { useWorks } from "./useWorks";
import classes from "./Desk.module.css";

export default function Desk() {
  const { t } = useTranslation("desk");
  const { works, agent, replaced } = useWorks();
  const [work, choose] = useChosen(works);
  const none = useStore(noDesk);
  if (none && !agent)
    return (
      <Page title={t("title")}>
        <Paper className="panel">
          <Empty icon={IconHeadsetOff} title={t("idle.none.title")}>
            {t("idle.none.text")}
          </Empty>
        </Paper>
      </Page>
    );
  return (
    <Page title={t("title")}>
      <Box className={classes.desk}>
        <Stack gap="md" className={classes.own}>
          {!replaced && <StateCard agent={agent} />}
          <OwnFigures />
        </Stack>
        <Box className={classes.contact}>
          <ErrorBoundary>
            <Contacts
              works={works}
              work={work}
              onChoose={choose}
              agent={agent}
              replaced={replaced}
            />
          </ErrorBoundary>
        </Box>
        <Box className={classes.customer} data-empty={!work || undefined}>
          <ErrorBoundary key={work?.reservation?.contact_id ?? ""}>
            <Customer work={work} />
          </ErrorBoundary>
        </Box>
      </Box>
    </Page>
  );
}

/** Addresses that lead nowhere, or not for this person. */
import { Button } from "@mantine/core";
import { IconLock, IconMapQuestion } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { Me } from "@/api/types";
import { Page } from "@/ui/Page";
import { Empty } from "@/ui/notes";
import { Link } from "./go";
import { homeFor } from "./nav";

export function NotFound({ me }: { me: Me }) {
  const { t } = useTranslation();
  return (
    <Page title={t("page.notFound")}>
      <Empty icon={IconMapQuestion} title={t("page.notFound")} action={<Home me={me} />}>
        {t("page.notFoundHelp")}
      </Empty>
    </Page>
  );
}

export function NotAllowed({ me }: { me: Me }) {
  const { t } = useTranslation();
  return (
    <Page title={t("page.notAllowed")}>
      <Empty icon={IconLock} title={t("page.notAllowed")} action={<Home me={me} />}>
        {t("error.not-allowed")}
      </Empty>
    </Page>
  );
}

function Home({ me }: { me: Me }) {
  const { t } = useTranslation();
  return (
    <Button component={Link} href={homeFor(me.roles)}>
      {t("page.home")}
    </Button>
  );
}

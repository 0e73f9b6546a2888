/** A new flow, begun with one that works. */
import { Alert, Anchor, Radio, Select, Stack, Text, TextInput } from "@mantine/core";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { IdField } from "@/admin/common/IdField";
import { useQueueConfigs } from "@/admin/common/data";
import { isSlug, slug } from "@/admin/common/slug";
import { Link, useGo } from "@/app/go";
import { zone } from "@/i18n/format";
import { SidePanel } from "@/ui/SidePanel";
import { toast } from "@/ui/toast";
import { usePut } from "./data";
import { flowOf, TEMPLATES, type Template } from "./templates";

export function NewFlow({ taken, onClose }: { taken: string[]; onClose: () => void }) {
  const { t } = useTranslation(["flows", "admin", "common"]);
  const go = useGo();
  const queues = useQueueConfigs();
  const [name, setName] = useState("");
  const [typed, setTyped] = useState("");
  const [template, setTemplate] = useState<Template>("menu");
  const [first, setFirst] = useState<string | null>(null);
  const [second, setSecond] = useState<string | null>(null);
  const [tried, setTried] = useState(false);
  const id = typed || slug(name) || (name.trim() ? "flow" : "");
  const put = usePut(id, (saved) => {
    toast(t("created"));
    go(`/admin/flows/${saved.flow_id}`);
  });
  const options = useMemo(
    () =>
      (queues.data ?? []).map((queue) => ({
        value: queue.queue_id,
        label: queue.name || queue.queue_id,
      })),
    [queues.data],
  );
  const one = options.find((option) => option.value === first) ?? options[0];
  const two = options.find((option) => option.value === second) ?? options[1] ?? options[0];
  const idFault = !isSlug(id) ? t("admin:id.bad") : taken.includes(id) && t("admin:id.taken");
  const missing = !name.trim();
  const save = () => {
    setTried(true);
    if (missing || idFault || !one || !two) return;
    put.mutate(
      flowOf(template, {
        name: name.trim(),
        zone: zone(),
        first: { id: one.value, name: one.label },
        second: { id: two.value, name: two.label },
        said: (key, values = {}) => t(`spoken.${key}`, values as { first: string; second: string }),
      }),
    );
  };
  return (
    <SidePanel
      opened
      title={t("new")}
      onClose={onClose}
      onSave={save}
      saving={put.isPending}
      problem={put.error ?? queues.error}
      dirty={name !== ""}
      saveLabel={t("create")}
    >
      <Text size="sm" c="dimmed">
        {t("newLead")}
      </Text>
      <TextInput
        label={t("name")}
        description={t("nameHelp")}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        maxLength={100}
        error={tried && missing && t("common:signIn.missing")}
        required
        data-autofocus
      />
      <IdField id={id} onChange={setTyped} fresh error={tried && !missing && idFault} />
      <Radio.Group
        label={t("template")}
        value={template}
        onChange={(value) => setTemplate(value as Template)}
      >
        <Stack gap="xs" mt={6}>
          {TEMPLATES.map((each) => (
            <Radio.Card key={each} value={each} p="sm" radius="md">
              <div style={{ display: "flex", gap: 12, alignItems: "center" }}>
                <Radio.Indicator />
                <div>
                  <Text size="sm" fw={600}>
                    {t(`templates.${each}`)}
                  </Text>
                  <Text size="sm" c="dimmed">
                    {t(`templates.${each}Help`)}
                  </Text>
                </div>
              </div>
            </Radio.Card>
          ))}
        </Stack>
      </Radio.Group>
      {queues.data?.length === 0 ? (
        <Alert color="orange" variant="light">
          {t("noQueues")}{" "}
          <Anchor component={Link} href="/admin/queues" size="sm">
            {t("toQueues")}
          </Anchor>
        </Alert>
      ) : (
        <>
          <Select
            label={t(template === "menu" ? "templates.first" : "templates.theQueue")}
            data={options}
            value={one?.value ?? null}
            onChange={setFirst}
            allowDeselect={false}
            searchable
          />
          {template === "menu" && (
            <Select
              label={t("templates.second")}
              data={options}
              value={two?.value ?? null}
              onChange={setSecond}
              allowDeselect={false}
              searchable
            />
          )}
        </>
      )}
    </SidePanel>
  );
}

/** A part of the page that fails takes nothing else with it; a call in progress least of all. */
import { Button } from "@mantine/core";
import { IconBug } from "@tabler/icons-react";
import i18next from "i18next";
import { Component, type ReactNode } from "react";
import { Empty } from "@/ui/notes";

interface Props {
  children: ReactNode;
  /** What stands where it failed; else words and a way to go on. */
  instead?: ReactNode;
}

export class ErrorBoundary extends Component<Props, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    if (!this.state.failed) return this.props.children;
    if (this.props.instead !== undefined) return this.props.instead;
    return (
      <Empty
        icon={IconBug}
        title={i18next.t("page.broken")}
        action={<Button onClick={() => location.reload()}>{i18next.t("page.reload")}</Button>}
      >
        {i18next.t("page.brokenHelp")}
      </Empty>
    );
  }
}

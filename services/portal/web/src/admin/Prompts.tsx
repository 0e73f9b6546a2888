import { Page } from "@/ui/Page";

export default function Prompts() {
  return <Page title="Prompts">{null}</Page>;
}

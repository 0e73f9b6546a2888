import { Page } from "@/ui/Page";

export default function Skills() {
  return <Page title="Skills">{null}</Page>;
}

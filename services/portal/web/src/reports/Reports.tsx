import { Page } from "@/ui/Page";

export default function Reports() {
  return <Page title="Reports">{null}</Page>;
}

import { Page } from "@/ui/Page";

export default function Recordings() {
  return <Page title="Recordings">{null}</Page>;
}

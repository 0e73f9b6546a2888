import { Page } from "@/ui/Page";

export default function RecordingPolicy() {
  return <Page title="RecordingPolicy">{null}</Page>;
}

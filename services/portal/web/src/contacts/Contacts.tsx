import { Page } from "@/ui/Page";

export default function Contacts() {
  return <Page title="Contacts">{null}</Page>;
}

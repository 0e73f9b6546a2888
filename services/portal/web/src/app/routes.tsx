/** Which page an address shows; each part is fetched when it is first opened. */
import { lazy, type ReactNode } from "react";
import { Redirect, Route, Switch } from "wouter";
import type { Me } from "@/api/types";
import { homeFor, SECTIONS, sectionsFor, type Section } from "./nav";
import { NotAllowed, NotFound } from "./Nowhere";

const Desk = lazy(() => import("@/desk/Desk"));
const Floor = lazy(() => import("@/floor/Floor"));
const Contacts = lazy(() => import("@/contacts/Contacts"));
const Story = lazy(() => import("@/contacts/Story"));
const Customers = lazy(() => import("@/contacts/Customers"));
const Recordings = lazy(() => import("@/recordings/Recordings"));
const Recording = lazy(() => import("@/recordings/Recording"));
const Reports = lazy(() => import("@/reports/Reports"));
const Users = lazy(() => import("@/admin/Users"));
const Queues = lazy(() => import("@/admin/Queues"));
const Skills = lazy(() => import("@/admin/Skills"));
const Numbers = lazy(() => import("@/admin/Numbers"));
const Hours = lazy(() => import("@/admin/Hours"));
const Prompts = lazy(() => import("@/admin/Prompts"));
const Dispositions = lazy(() => import("@/admin/Dispositions"));
const RecordingPolicy = lazy(() => import("@/admin/RecordingPolicy"));
const ApiKeys = lazy(() => import("@/admin/ApiKeys"));
const Audit = lazy(() => import("@/admin/Audit"));
const Settings = lazy(() => import("@/admin/Settings"));
const Flows = lazy(() => import("@/flows/Flows"));
const Flow = lazy(() => import("@/flows/Flow"));
const Tenants = lazy(() => import("@/platform/Tenants"));

const PAGES: Record<Section["key"], ReactNode> = {
  desk: <Desk />,
  floor: <Floor />,
  contacts: <Contacts />,
  customers: <Customers />,
  recordings: <Recordings />,
  reports: <Reports />,
  users: <Users />,
  queues: <Queues />,
  skills: <Skills />,
  numbers: <Numbers />,
  flows: <Flows />,
  prompts: <Prompts />,
  hours: <Hours />,
  dispositions: <Dispositions />,
  "recording-policy": <RecordingPolicy />,
  "api-keys": <ApiKeys />,
  audit: <Audit />,
  settings: <Settings />,
  tenants: <Tenants />,
};

/** What stands behind a row of a section's list. */
const INSIDE: Partial<Record<Section["key"], ReactNode>> = {
  contacts: <Story />,
  recordings: <Recording />,
  flows: <Flow />,
};

/** The page of the present address; sections of other roles say so instead of being missing. */
export function Pages({ me }: { me: Me }) {
  const allowed = new Set(sectionsFor(me.roles).map((section) => section.key));
  const shown = (section: Section, page: ReactNode) =>
    allowed.has(section.key) ? page : <NotAllowed me={me} />;
  return (
    <Switch>
      <Route path="/">
        <Redirect to={homeFor(me.roles)} replace />
      </Route>
      {SECTIONS.map((section) => (
        <Route key={section.path} path={section.path}>
          {shown(section, PAGES[section.key])}
        </Route>
      ))}
      {SECTIONS.filter((section) => INSIDE[section.key]).map((section) => (
        <Route key={`${section.path}/:id`} path={`${section.path}/:id`}>
          {shown(section, INSIDE[section.key])}
        </Route>
      ))}
      <Route>
        <NotFound me={me} />
      </Route>
    </Switch>
  );
}

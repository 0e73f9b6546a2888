/** The portal's sections: where they are, and for whom. */
import {
  IconActivityHeartbeat,
  IconAddressBook,
  IconBuilding,
  IconCalendarTime,
  IconChartBar,
  IconClipboardList,
  IconHeadset,
  IconHistory,
  IconKey,
  IconListDetails,
  IconMicrophone2,
  IconPhoneCall,
  IconRoute,
  IconSettings,
  IconShieldCheck,
  IconStack2,
  IconTable,
  IconUsers,
  IconWaveSine,
  type Icon,
} from "@tabler/icons-react";

export type Role = "agent" | "supervisor" | "administrator" | "platform";

export type NavKey =
  | "desk"
  | "floor"
  | "contacts"
  | "recordings"
  | "reports"
  | "customers"
  | "users"
  | "queues"
  | "skills"
  | "numbers"
  | "flows"
  | "prompts"
  | "hours"
  | "dispositions"
  | "api-keys"
  | "audit"
  | "recording-policy"
  | "settings"
  | "tenants";

export interface Section {
  key: NavKey;
  path: string;
  icon: Icon;
  /** Any of these roles is enough. */
  roles: readonly Role[];
  /** Under which heading it stands; none: at the top. */
  group?: "administration" | "platform";
}

const lead: readonly Role[] = ["supervisor", "administrator"];
const staff: readonly Role[] = ["agent", "supervisor", "administrator"];
const admin: readonly Role[] = ["administrator"];

export const SECTIONS: readonly Section[] = [
  { key: "desk", path: "/desk", icon: IconHeadset, roles: ["agent"] },
  { key: "floor", path: "/floor", icon: IconActivityHeartbeat, roles: lead },
  { key: "contacts", path: "/contacts", icon: IconHistory, roles: lead },
  { key: "customers", path: "/customers", icon: IconAddressBook, roles: staff },
  { key: "recordings", path: "/recordings", icon: IconWaveSine, roles: staff },
  { key: "reports", path: "/reports", icon: IconChartBar, roles: lead },
  { key: "users", path: "/admin/users", icon: IconUsers, roles: admin, group: "administration" },
  { key: "queues", path: "/admin/queues", icon: IconStack2, roles: admin, group: "administration" },
  { key: "skills", path: "/admin/skills", icon: IconTable, roles: admin, group: "administration" },
  { key: "flows", path: "/admin/flows", icon: IconRoute, roles: admin, group: "administration" },
  {
    key: "numbers",
    path: "/admin/numbers",
    icon: IconPhoneCall,
    roles: admin,
    group: "administration",
  },
  {
    key: "hours",
    path: "/admin/hours",
    icon: IconCalendarTime,
    roles: admin,
    group: "administration",
  },
  {
    key: "prompts",
    path: "/admin/prompts",
    icon: IconMicrophone2,
    roles: admin,
    group: "administration",
  },
  {
    key: "dispositions",
    path: "/admin/dispositions",
    icon: IconListDetails,
    roles: admin,
    group: "administration",
  },
  {
    key: "recording-policy",
    path: "/admin/recording-policy",
    icon: IconShieldCheck,
    roles: admin,
    group: "administration",
  },
  {
    key: "api-keys",
    path: "/admin/api-keys",
    icon: IconKey,
    roles: admin,
    group: "administration",
  },
  {
    key: "audit",
    path: "/admin/audit",
    icon: IconClipboardList,
    roles: admin,
    group: "administration",
  },
  {
    key: "settings",
    path: "/admin/settings",
    icon: IconSettings,
    roles: admin,
    group: "administration",
  },
  {
    key: "tenants",
    path: "/platform/tenants",
    icon: IconBuilding,
    roles: ["platform"],
    group: "platform",
  },
];

/** The sections that somebody with these roles may see, in order. */
export function sectionsFor(roles: readonly string[]): Section[] {
  return SECTIONS.filter((section) => section.roles.some((role) => roles.includes(role)));
}

/** Where each role begins; of several roles the first counts. */
const HOMES: readonly (readonly [Role, string])[] = [
  ["platform", "/platform/tenants"],
  ["agent", "/desk"],
  ["supervisor", "/floor"],
  ["administrator", "/admin/users"],
];

/** Where somebody with these roles begins. */
export function homeFor(roles: readonly string[]): string {
  return HOMES.find(([role]) => roles.includes(role))?.[1] ?? "/nothing";
}

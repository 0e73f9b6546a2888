/** Makes a key that no catalogue has an error of types. */
import "i18next";
import type common from "./en/common.json";
import type contacts from "./en/contacts.json";
import type admin from "./en/admin.json";
import type desk from "./en/desk.json";
import type floor from "./en/floor.json";
import type flows from "./en/flows.json";
import type platform from "./en/platform.json";
import type recordings from "./en/recordings.json";
import type reports from "./en/reports.json";
import type tour from "./en/tour.json";

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "common";
    resources: {
      common: typeof common;
      admin: typeof admin;
      contacts: typeof contacts;
      desk: typeof desk;
      floor: typeof floor;
      flows: typeof flows;
      platform: typeof platform;
      recordings: typeof recordings;
      reports: typeof reports;
      tour: typeof tour;
    };
  }
}

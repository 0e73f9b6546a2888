/** Every Mantine component that is used has its styles, and no other is fetched. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const SRC = new URL("..", import.meta.url).pathname;
const STYLES = join(SRC, "..", "node_modules", "@mantine", "core", "styles");
/** Components that others are built on: they are imported by nobody here. */
const BELOW = new Set(
  (
    "default-css-variables baseline global ScrollArea UnstyledButton VisuallyHidden Paper Popover CloseButton " +
    "Group Loader Overlay ModalBase Input InlineInput Flex FloatingIndicator Pill PillsInput Combobox Notification"
  ).split(" "),
);

function imported(): Set<string> {
  const names = new Set<string>();
  for (const name of readdirSync(SRC, { recursive: true, encoding: "utf8" })) {
    if (!/\.tsx?$/.test(name) || name.endsWith(".test.ts")) continue;
    const text = readFileSync(join(SRC, name), "utf8");
    for (const [, list] of text.matchAll(/import {([^}]*)} from "@mantine\/core"/g))
      for (const each of (list ?? "").split(",")) names.add(each.trim().replace(/^type /, ""));
  }
  return names;
}

const listed = new Set(
  [...readFileSync(join(SRC, "ui", "mantine.css"), "utf8").matchAll(/styles\/([\w-]+)\.css/g)].map(
    ([, name]) => name ?? "",
  ),
);

it("lists the styles of every component that is used", () => {
  const used = [...imported()].filter((name) => existsSync(join(STYLES, `${name}.css`)));
  expect(used.filter((name) => !listed.has(name))).toEqual([]);
});

it("lists no styles that nobody needs", () => {
  const used = imported();
  expect([...listed].filter((name) => !used.has(name) && !BELOW.has(name))).toEqual([]);
});

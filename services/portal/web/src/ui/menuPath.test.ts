import { expect, it } from "vitest";
import { menuPath, nodeName } from "./menuPath";

const say = (answer: string) => `<${answer}>`;

it("names what was asked and what was answered", () => {
  expect(menuPath("main-menu: 1 > order_number: gather > may: agreed", say)).toBe(
    "Main menu: 1 › Order number: <gather> › May: <agreed>",
  );
  expect(menuPath("… > begin: silence", say)).toBe("… › Begin: <silence>");
});

it("leaves what a flow says in its own words", () => {
  expect(menuPath("returns of shoes", say)).toBe("returns of shoes");
  expect(menuPath("", say)).toBe("");
});

it("names a node that has no words in it", () => expect(nodeName("-")).toBe(""));

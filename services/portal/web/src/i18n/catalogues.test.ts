/** No string is missing in a language, and none is written into the pages. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { LANGUAGES } from "./languages";

const SRC = new URL("..", import.meta.url).pathname;
const HERE = new URL(".", import.meta.url).pathname;
/** Endings of a key's plural forms; Chinese has only `other`. */
const PLURAL = /_(zero|one|two|few|many|other)$/;
/** Attributes that people read or hear. */
const SPOKEN = new Set([
  "aria-label",
  "title",
  "label",
  "placeholder",
  "description",
  "alt",
  "lead",
]);

interface Tree {
  [key: string]: string | Tree;
}

function leaves(tree: Tree, before = ""): [string, string][] {
  return Object.entries(tree).flatMap(([key, value]): [string, string][] =>
    typeof value === "string" ? [[before + key, value]] : leaves(value, `${before}${key}.`),
  );
}

function catalogue(language: string, file: string): Map<string, string> {
  return new Map(leaves(JSON.parse(readFileSync(join(HERE, language, file), "utf8")) as Tree));
}

const files = readdirSync(join(HERE, "en"));

describe.each(files)("the catalogue %s", (file) => {
  const [en, zh] = LANGUAGES.map((language) => catalogue(language, file)) as [
    Map<string, string>,
    Map<string, string>,
  ];
  const bare = (all: Map<string, string>) =>
    [...new Set([...all.keys()].map((key) => key.replace(PLURAL, "")))].sort();
  it("has the same keys in both languages", () => expect(bare(zh)).toEqual(bare(en)));
  it("says something for every key", () => {
    for (const [key, value] of [...en, ...zh]) expect(value.trim(), key).not.toBe("");
  });
  it("names the same values in both languages", () => {
    const named = (text = "") =>
      (text.match(/{{\s*\w+/g) ?? []).map((name) => name.slice(2)).sort();
    for (const [key, value] of zh)
      expect(new Set(named(value)), key).toEqual(
        new Set(named(en.get(key) ?? en.get(key.replace(PLURAL, "_other")))),
      );
  });
  it("is translated", () => {
    for (const [key, value] of zh) {
      const letters = value.replace(/{{[^}]*}}/g, "");
      // Short technical words are the same everywhere.
      if (/[a-z]{4}.*\s.*[a-z]{4}/i.test(letters)) expect(letters, key).toMatch(/\p{Script=Han}/u);
    }
  });
});

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".tsx"))
    .map((name) => join(folder, name));
}

function spokenIn(path: string): string[] {
  const source = ts.createSourceFile(
    path,
    readFileSync(path, "utf8"),
    ts.ScriptTarget.Latest,
    true,
    ts.ScriptKind.TSX,
  );
  const found: string[] = [];
  const words = (text: string) => /\p{L}{2}/u.test(text);
  const visit = (node: ts.Node): void => {
    if (ts.isJsxText(node) && words(node.text)) found.push(node.text.trim());
    if (ts.isJsxAttribute(node) && SPOKEN.has(node.name.getText())) {
      const value = node.initializer;
      const text =
        value && ts.isStringLiteral(value)
          ? value.text
          : value &&
              ts.isJsxExpression(value) &&
              value.expression &&
              ts.isStringLiteralLike(value.expression)
            ? value.expression.text
            : "";
      if (words(text)) found.push(`${node.name.getText()}="${text}"`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

describe("the pages", () => {
  it("hold no words of their own", () => {
    const found = sources(SRC).flatMap((path) =>
      spokenIn(path).map((text) => `${path.slice(SRC.length)}: ${text}`),
    );
    expect(found).toEqual([]);
  });
  it("would be caught if they did", () => {
    const path = join(SRC, "i18n", "spoken.example");
    expect(spokenIn(path)).toEqual(['aria-label="Close"', 'title="Top"', "Hello there"]);
  });
});

import i18next from "i18next";
import { beforeAll, describe, expect, it } from "vitest";
import en from "@/i18n/en/contacts.json";
import zh from "@/i18n/zh-CN/contacts.json";
import {
  endingWords,
  ENDINGS,
  folded,
  isTechnical,
  SENTENCES,
  sentenceOf,
  wordsOf,
  type Say,
  type StoryStep,
} from "./words";

const made = i18next.createInstance();
const say: Say = (key, values) => made.t(key as never, values as never) as unknown as string;
const phone = (text: string) => text;

beforeAll(async () => {
  await made.init({
    lng: "en",
    ns: ["contacts"],
    defaultNS: "contacts",
    resources: { en: { contacts: en } } as never,
    interpolation: { escapeValue: false },
  });
});

function step(kind: string, values: Record<string, string> = {}, source = "acd"): StoryStep {
  return { at_ms: "1", kind, source, values };
}

describe("the words of a story", () => {
  it("have a sentence for everything that the catalogues know, in both languages", () => {
    for (const catalogue of [en, zh])
      for (const sentence of SENTENCES) {
        const said = Object.keys(catalogue.step).some(
          (key) => key === sentence || key.replace(/_(one|other)$/, "") === sentence,
        );
        expect(said, sentence).toBe(true);
      }
    for (const catalogue of [en, zh])
      for (const ending of ENDINGS) expect(catalogue.ending).toHaveProperty([ending]);
  });
  it("name people and lengths", () => {
    expect(wordsOf(step("accepted", { agent: "Anna" }), say, phone)).toBe("Anna accepted");
    expect(
      wordsOf(step("left", { exit: "answered", wait_ms: "68138", queue: "Sales" }), say, phone),
    ).toContain("1:08");
  });
  it("count keys, and never say which", () => {
    const keyed = step("keyed", { count: "1", role: "caller", how: "rfc4733" }, "gateway");
    expect(wordsOf(keyed, say, phone)).toBe("The caller pressed 1 key");
    expect(wordsOf({ ...keyed, values: { count: "3" } }, say, phone)).toContain("3 keys");
  });
  it("tell the reason that somebody gave", () => {
    const transfer = step(
      "transfer",
      { to: "queue", target: "support", target_name: "Support", reason: "asks for help" },
      "gateway",
    );
    expect(wordsOf(transfer, say, phone)).toMatch(/Support.*asks for help/);
  });
  it("call a disposition what people call it", () => {
    const chosen = step("disposition", { agent: "Anna", code: "order" });
    const label = (code: string) => (code === "order" ? "Order placed" : code);
    expect(wordsOf(chosen, say, phone, label)).toBe("Anna chose the disposition “Order placed”");
  });
  it("leave nothing of an unknown kind out", () => {
    const strange = step("teleported", { leg: "2", where: "moon" });
    expect(sentenceOf(strange)).toBeNull();
    expect(wordsOf(strange, say, phone)).toBe("teleported (leg: 2, where: moon)");
    expect(isTechnical(strange)).toBe(false);
  });
  it("use the sentence of the kind for a word that nobody knows", () =>
    expect(sentenceOf(step("released", { outcome: "vanished" }))).toBe("released"));
  it("have no gap where a value is missing", () => {
    for (const sentence of SENTENCES) {
      const [kind = ""] = sentence.match(/^(wrap-up-ended|[a-z]+)/) ?? [];
      const word = sentence.slice(kind.length + 1);
      const values = { state: word, exit: word, outcome: word, to: word, note: word, cause: word };
      const source = word === "flow" ? "flow" : "gateway";
      expect(wordsOf(step(kind, { ...values, ended_by: word }, source), say, phone)).not.toContain(
        "{{",
      );
    }
  });
});

describe("what is technical", () => {
  it("is left out at first: legs, the flow's steps, what was played", () => {
    for (const kind of ["leg", "flow", "node", "said"])
      expect(isTechnical(step(kind, { state: "started" }, "gateway")), kind).toBe(true);
    expect(isTechnical(step("connection", { state: "connected" }))).toBe(true);
  });
  it("is not what people ask about", () => {
    expect(isTechnical(step("connection", { state: "lost" }))).toBe(false);
    expect(isTechnical(step("position", { text: "You are number 2." }, "flow"))).toBe(false);
  });
});

describe("what is said again and again", () => {
  it("is told once, with how often, where it stands together", () => {
    const steps = ["a", "a", "b", "a"].map((text) => step("said", { text }, "flow"));
    const told = folded(steps, (each) => each.values.text ?? "");
    expect(told.map(({ words, times }) => [words, times])).toEqual([
      ["a", 2],
      ["b", 1],
      ["a", 1],
    ]);
  });
  it("is no news where wrap-up ends with the disposition that was chosen before", () => {
    const steps = ["order", "order"].map((code) => step("disposition", { code }));
    expect(folded(steps, (each) => each.values.code ?? "").map(({ times }) => times)).toEqual([1]);
  });
  it("is the place in the queue, as it was told last", () => {
    const steps = ["3", "2", "1"].map((text) => step("position", { text }, "flow"));
    const told = folded(steps, (each) => each.values.text ?? "");
    expect(told.map(({ words, times }) => [words, times])).toEqual([["1", 3]]);
  });
});

describe("how calls end", () => {
  it("is said in words, and plainly where there are none", () => {
    expect(endingWords("success/caller-hung-up", say)).toBe("The caller hung up");
    expect(endingWords("unknown/cosmic-ray", say)).toBe("cosmic ray");
    expect(endingWords("", say)).toBe("");
  });
});

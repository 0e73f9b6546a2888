import { describe, expect, it } from "vitest";
import { bodyOf, draftOf, faultsOf, type Customer } from "./customer";

const e164 = (text: string) => (/^\+\d{5,}$/.test(text.trim()) ? text.trim() : "");
const draft = (parts: Partial<ReturnType<typeof draftOf>> = {}) => ({
  ...draftOf(null),
  name: "Carol",
  ...parts,
});

describe("what is wrong with a customer", () => {
  it("is nothing for a name alone, or a number alone", () => {
    expect(faultsOf(draft(), e164)).toEqual({});
    expect(faultsOf(draft({ name: "", numbers: ["+12025550147"] }), e164)).toEqual({});
  });
  it("is that nobody is named", () => expect(faultsOf(draftOf(null), e164).name).toBe("nobody"));
  it("is said at the number that is none, or that is there twice", () =>
    expect(faultsOf(draft({ numbers: ["+12025550147", "hello", "+12025550147"] }), e164)).toEqual({
      "numbers.1": "number",
      "numbers.2": "twice",
    }));
  it("is said at other fields", () => {
    const wrong = draft({
      email: "carol",
      language: "english!",
      segment: "x".repeat(65),
      attributes: [
        { name: "", value: "gold" },
        { name: "a", value: "1" },
        { name: "a", value: "2" },
      ],
    });
    expect(faultsOf(wrong, e164)).toEqual({
      email: "email",
      language: "language",
      segment: "long",
      "attributes.0": "attribute",
      "attributes.2": "attributeTwice",
    });
  });
});

describe("a customer in a form", () => {
  it("comes out as it went in", () => {
    const customer = {
      customer_id: "carol",
      name: "Carol",
      numbers: ["+12025550147"],
      email: "",
      company: "",
      segment: "vip",
      language: "en",
      attributes: { size: "m" },
      external_ref: "7",
      note: "hi",
      created_at_ms: "1",
      changed_at_ms: "2",
    } as Customer;
    expect(bodyOf(draftOf(customer), e164)).toMatchObject({
      name: "Carol",
      numbers: ["+12025550147"],
      attributes: { size: "m" },
      external_ref: "7",
    });
  });
  it("leaves empty rows out", () => {
    const body = bodyOf(
      draft({ numbers: ["", " "], attributes: [{ name: " ", value: "" }] }),
      e164,
    );
    expect(body.numbers).toEqual([]);
    expect(body.attributes).toEqual({});
  });
});

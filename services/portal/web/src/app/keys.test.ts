import { afterEach, describe, expect, it } from "vitest";
import { chooseSingleKeys, isSingle, pressed, singleKeys } from "./keys";

class Kept implements Pick<Storage, "getItem" | "setItem" | "removeItem"> {
  readonly values = new Map<string, string>();
  getItem = (key: string) => this.values.get(key) ?? null;
  setItem = (key: string, value: string) => void this.values.set(key, value);
  removeItem = (key: string) => void this.values.delete(key);
}

const press = (key: string, held: Partial<KeyboardEvent> = {}) =>
  pressed({ key, altKey: false, ctrlKey: false, shiftKey: false, metaKey: false, ...held });

afterEach(() => singleKeys.set(true));

describe("single keys", () => {
  it("do things until somebody switches them off, and are remembered", () => {
    const kept = new Kept() as unknown as Storage & Kept;
    expect(singleKeys.get()).toBe(true);
    chooseSingleKeys(false, kept);
    expect(singleKeys.get()).toBe(false);
    expect([...kept.values.values()]).toEqual(["off"]);
    chooseSingleKeys(true, kept);
    expect(singleKeys.get()).toBe(true);
    expect(kept.values.size).toBe(0);
  });
  it("are letters, digits and signs, with Shift or without", () => {
    for (const keys of ["a", "7", "?", "/", "+", "shift+h"])
      expect(isSingle(keys), keys).toBe(true);
    for (const keys of ["escape", "alt+1", "ctrl+enter", "ctrl++", "arrowleft", "shift+arrowleft"])
      expect(isSingle(keys), keys).toBe(false);
  });
});

describe("what was pressed", () => {
  it("has a name, with what was held", () => {
    expect(press("A")).toBe("a");
    expect(press("H", { shiftKey: true })).toBe("shift+h");
    expect(press("?", { shiftKey: true })).toBe("?");
    expect(press("Enter", { metaKey: true })).toBe("ctrl+enter");
    expect(press("1", { altKey: true })).toBe("alt+1");
  });
});

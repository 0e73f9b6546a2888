import { expect, it } from "vitest";
import { store } from "@/api/store";
import { derived } from "./tallies";

it("makes something anew only of another value", () => {
  const from = store(2);
  let made = 0;
  const twice = derived(from, (value) => {
    made += 1;
    return { twice: value * 2 };
  });
  const before = twice.get();
  expect(twice.get()).toBe(before);
  expect(made).toBe(1);
  from.set(5);
  expect(twice.get()).toEqual({ twice: 10 });
  expect(made).toBe(2);
});

import { beforeEach, describe, expect, it, vi } from "vitest";
import { each, tell } from "./bulk";

const toasts = vi.hoisted(() => ({
  toast: vi.fn(),
  toastProblemOf: vi.fn(),
  toastProgress: vi.fn(),
}));
vi.mock("@/ui/toast", () => toasts);
vi.mock("i18next", () => ({
  default: { t: (key: string, { count }: { count: number }) => `${key} ${count}` },
}));

const end = vi.fn();
let stop = (): void => undefined;
let now = () => ({ through: 0, all: 0 });

beforeEach(() => {
  vi.clearAllMocks();
  toasts.toastProgress.mockImplementation((...given) => {
    [now, stop] = given as [typeof now, typeof stop];
    return { end };
  });
});

describe("what is done to many", () => {
  it("is done to all, whatever becomes of one, and is followed meanwhile", async () => {
    const seen: number[] = [];
    const outcome = await each([1, 2, 3, 4, 5, 6], async (item) => {
      await Promise.resolve();
      seen.push(item);
      if (item % 3 === 0) throw new Error(String(item));
    });
    expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
    expect(outcome).toEqual({ done: 4, left: 0, problems: [new Error("3"), new Error("6")] });
    expect(now()).toEqual({ through: 6, all: 6 });
    expect(end).toHaveBeenCalledOnce();
    tell(outcome);
    expect(toasts.toast).toHaveBeenCalledWith("admin:bulk.done 4");
    expect(toasts.toastProblemOf).toHaveBeenCalledWith(new Error("3"), "admin:bulk.failed 2");
  });

  it("begins no more once somebody has stopped it", async () => {
    const outcome = await each(
      Array.from({ length: 100 }, (_, item) => item),
      async (item) => {
        await Promise.resolve();
        if (item === 9) stop();
      },
    );
    expect(outcome.done).toBeLessThan(15);
    expect(outcome.done + outcome.left).toBe(100);
    tell(outcome);
    expect(toasts.toast).toHaveBeenCalledWith(
      `admin:bulk.done ${outcome.done}, admin:bulk.left ${outcome.left}`,
    );
    expect(toasts.toastProblemOf).not.toHaveBeenCalled();
  });
});

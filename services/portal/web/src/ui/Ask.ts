/** A question before something that can not be taken back. */
import { store, useStore } from "@/api/store";

interface Question {
  title: string;
  text: string;
  /** The word on the button that does it. */
  yes: string;
  danger: boolean;
  answer: (yes: boolean) => void;
}

/** The question that waits; null: none. */
export const asked = store<Question | null>(null);

/** Asks, and says whether the person said yes. */
export function ask(
  question: Partial<Omit<Question, "answer">> & { text: string; yes: string },
): Promise<boolean> {
  asked.get()?.answer(false);
  return new Promise((resolve) => {
    const answer = (yes: boolean) => {
      asked.set(null);
      resolve(yes);
    };
    asked.set({ title: "", danger: true, ...question, answer });
  });
}

/** True: a question waits for its answer, and what is below it must not hear the keyboard. */
export function useIsAsking(): boolean {
  return useStore(asked) !== null;
}

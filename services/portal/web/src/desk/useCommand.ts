/** One command about a contact, with its failure said and no second one while it is under way. */
import { useMutation } from "@tanstack/react-query";
import { toastProblem } from "@/ui/toast";
import { commands, type Command } from "./phone/commands";

export function useCommand(name: Command) {
  return useMutation({ mutationFn: (id: string) => commands[name](id), onError: toastProblem });
}

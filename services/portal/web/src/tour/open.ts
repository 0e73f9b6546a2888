/** Whether the tour is shown; apart, so that opening it needs nothing of it. */
import { store } from "@/api/store";

export const tourIsOpen = store(false);

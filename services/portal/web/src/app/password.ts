/** Whether one's own password is being changed; apart, so that opening that needs nothing of it. */
import { store } from "@/api/store";

export const changingPassword = store(false);

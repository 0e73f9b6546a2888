/** The portal. */
import "./ui/mantine.css";
import "@mantine/notifications/styles.css";
import "./ui/base.css";
import { createRoot } from "react-dom/client";
import { App } from "./app/App";
import { startLanguages } from "./i18n";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no root");
void startLanguages().then(() => createRoot(root).render(<App />));

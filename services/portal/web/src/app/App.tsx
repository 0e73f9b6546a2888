/** The application: the way in, or the shell with its pages. */
import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useRef, useSyncExternalStore } from "react";
import { Router } from "wouter";
import { clearBoards } from "@/api/boards";
import { api, told } from "@/api/client";
import { startFeed, stopFeed } from "@/api/feed";
import { asProblem } from "@/api/problem";
import { session } from "@/api/session";
import type { Me } from "@/api/types";
import { startSoftphone } from "@/desk/phone/softphone";
import { chosenLanguage, speak, usualLanguage } from "@/i18n";
import { PageLoader } from "@/ui/notes";
import { theme } from "@/ui/theme";
import { aroundNav } from "@/ui/unsaved";
import { AtRest } from "./AtRest";
import { Pages } from "./routes";
import { Shell } from "./Shell";
import { Shortcuts } from "./shortcuts";

const Beside = lazy(() => import("./Beside"));
const SignIn = lazy(() => import("@/sign-in/SignIn"));

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      refetchOnWindowFocus: false,
      retry: (failures, fault) => failures < 2 && asProblem(fault).passing,
    },
  },
});

export function App() {
  const me = useSyncExternalStore(session.subscribe, session.me);
  const was = useRef(false);
  useEffect(() => {
    if (me) was.current = true;
  }, [me]);
  return (
    <MantineProvider theme={theme} defaultColorScheme="auto">
      <QueryClientProvider client={queries}>
        <Suspense fallback={<PageLoader />}>
          {me ? <SignedIn key={me.id} me={me} /> : <SignIn ended={was.current} />}
          <Shortcuts />
        </Suspense>
        <AtRest>
          <Beside />
        </AtRest>
      </QueryClientProvider>
    </MantineProvider>
  );
}

function SignedIn({ me }: { me: Me }) {
  const agent = me.roles.includes("agent");
  useEffect(() => {
    // First: the feed's hello says whether this tab takes calls, and after a reload that is urgent.
    const endSoftphone = agent ? startSoftphone() : undefined;
    startFeed();
    return () => {
      endSoftphone?.();
      stopFeed();
      clearBoards();
      queries.clear();
    };
  }, [agent]);
  // Roles or the zone may have changed since the session began.
  useEffect(() => {
    told(api.GET("/v1/me")).then(session.meIs, () => undefined);
    if (chosenLanguage() === null)
      told(api.GET("/v1/tenant")).then(
        (tenant) => void speak(usualLanguage(tenant.language, navigator.languages)),
        () => undefined,
      );
  }, []);
  return (
    <Router aroundNav={aroundNav}>
      <Shell me={me}>
        <Pages me={me} />
      </Shell>
    </Router>
  );
}

/** Calm colour, one type family, even spacing. */
import {
  ActionIcon,
  Alert,
  Badge,
  Button,
  createTheme,
  Paper,
  Tooltip,
  type MantineColorsTuple,
} from "@mantine/core";

/** The bell's blue. Shade 7 on white has a contrast of 6.1:1. */
const bell: MantineColorsTuple = [
  "#eef4fd",
  "#d9e6f8",
  "#b1cbf1",
  "#86aeea",
  "#6396e4",
  "#4d86e0",
  "#3f7cdc",
  "#2b5fb8",
  "#2454a6",
  "#174893",
];

/** The page has one banner: the heads of what lies above it are none. */
const HEAD_ONLY = { header: { role: "presentation" } };

/** Greys with a breath of blue. */
const dark: MantineColorsTuple = [
  "#d7dbe2",
  "#b3b9c4",
  "#969eac",
  "#6f7888",
  "#3d4450",
  "#2e343e",
  "#22272f",
  "#1a1e25",
  "#14171c",
  "#0f1216",
];

export const theme = createTheme({
  primaryColor: "bell",
  primaryShade: { light: 7, dark: 7 },
  colors: { bell, dark },
  autoContrast: true,
  luminanceThreshold: 0.36,
  fontFamily:
    'Inter, system-ui, -apple-system, "Segoe UI", "Noto Sans SC", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, "DejaVu Sans Mono", monospace',
  fontSizes: { xs: "0.75rem", sm: "0.84375rem", md: "0.9375rem", lg: "1.0625rem", xl: "1.25rem" },
  headings: {
    fontWeight: "620",
    sizes: {
      h1: { fontSize: "1.5rem", lineHeight: "1.3" },
      h2: { fontSize: "1.1875rem", lineHeight: "1.35" },
      h3: { fontSize: "1rem", lineHeight: "1.4" },
      h4: { fontSize: "0.9375rem", lineHeight: "1.4" },
    },
  },
  defaultRadius: "md",
  cursorType: "pointer",
  focusRing: "auto",
  respectReducedMotion: true,
  components: {
    // What is only said is a note; what has just gone wrong says so by itself (ErrorNote).
    Alert: Alert.extend({ defaultProps: { role: "note" } }),
    Button: Button.extend({ defaultProps: { size: "sm" } }),
    ActionIcon: ActionIcon.extend({ defaultProps: { variant: "subtle", color: "gray" } }),
    Badge: Badge.extend({
      defaultProps: { variant: "light", radius: "sm" },
      styles: { label: { textTransform: "none", fontWeight: 560 } },
    }),
    Paper: Paper.extend({ defaultProps: { radius: "md" } }),
    // By their names alone: a page begins without them.
    Modal: { defaultProps: { centered: true, radius: "lg", attributes: HEAD_ONLY } },
    Drawer: { defaultProps: { attributes: HEAD_ONLY } },
    Tooltip: Tooltip.extend({ defaultProps: { openDelay: 350, withArrow: true } }),
    InputWrapper: {
      styles: { label: { fontWeight: 560, marginBottom: 4 }, description: { marginBottom: 6 } },
    },
  },
});

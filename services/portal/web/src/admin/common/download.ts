/** Gives the person a file. */
export function download(name: string, text: string, type = "text/csv;charset=utf-8"): void {
  // Spreadsheets read UTF-8 only when it begins with this mark.
  const blob = new Blob([type.startsWith("text/csv") ? `\uFEFF${text}` : text], { type });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

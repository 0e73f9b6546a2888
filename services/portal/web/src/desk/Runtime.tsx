export default function Runtime() {
  return null;
}

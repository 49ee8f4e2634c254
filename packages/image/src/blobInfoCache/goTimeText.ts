/**
 * A time as Go's driver for SQLite writes it: `2006-01-02 15:04:05.999999999-07:00`, in the local zone. The
 * fraction has no zeros at its end and is left out when it is zero.
 */
export function goTimeText(time: Date): string {
  const minutesEast = -time.getTimezoneOffset();
  const [date, clock, fraction] = new Date(time.getTime() + minutesEast * 60_000)
    .toISOString()
    .split(/[T.Z]/);
  const digits = fraction.replace(/0+$/, '');
  return `${date} ${clock}${digits === '' ? '' : `.${digits}`}${zoneText(minutesEast)}`;
}

function zoneText(minutesEast: number): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const minutes = Math.abs(minutesEast);
  return `${minutesEast < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

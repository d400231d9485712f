export function readAudit(text: string): {
  answered: boolean;
  counts: Record<string, number>;
  grave: string[];
};

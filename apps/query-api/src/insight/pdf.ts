import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { directoryOfPages } from '@tiltak/platform';
import PDFDocument from 'pdfkit';
import type { SeenDto, SeenInSum } from '../audit/who-has-seen.ts';
import type { Insight, InsightOf, Party, Summary, Way } from './report.ts';
import { EXPLANATIONS, HOW, KINDS, unknownIn } from './words.ts';

type Doc = PDFKit.PDFDocument;

const TITLE = 'Hvem har sett opplysninger om deg?';
const MARGIN = 56;
const [INK, QUIET, RULE] = ['#23262a', '#49515e', '#cfd3d8'];
/** Of a way: with more days than these, only months are told. */
const MOST_DAYS = 40;

/** The report of all that is read: it is summed up first, and then written. */
export async function insightPdfOf(
  seen: AsyncIterable<SeenDto | SeenInSum>,
  summary: Summary,
  of: InsightOf,
): Promise<Readable> {
  for await (const row of seen) summary.add(row);
  return insightPdf(summary.result(of));
}

/**
 * The report as a PDF for the person: text that can be searched and read aloud, headings and paragraphs tagged, in
 * Norwegian, with its font in it.
 */
export function insightPdf(insight: Insight): Readable {
  const doc = new PDFDocument({
    ...{ size: 'A4', margins: { top: MARGIN, left: MARGIN, right: MARGIN, bottom: 72 } },
    // Pages are numbered when it is known how many there are.
    bufferPages: true,
    ...{ pdfVersion: '1.7', tagged: true, lang: 'nb-NO', displayTitle: true },
    info: { Title: TITLE, Author: 'Nav', Subject: 'Innsyn i oppslag', CreationDate: insight.madeAt },
    font: fontFile(400),
  });
  doc.registerFont('vanlig', fontFile(400));
  doc.registerFont('halvfet', fontFile(600));
  const page = new Writer(doc);
  writeTop(page, insight);
  writeParties(page, insight);
  writeEnd(page, insight);
  page.end();
  numberPages(doc, insight);
  doc.end();
  return doc;
}

function fontFile(weight: number): string {
  const { resolve } = createRequire(join(directoryOfPages(import.meta.dirname), 'program.cjs'));
  const folder = dirname(resolve('@fontsource/source-sans-3'));
  return join(folder, 'files', `source-sans-3-latin-${String(weight)}-normal.woff`);
}

interface Style {
  size: number;
  font?: 'halvfet';
  color?: string;
  /** points before and after it */
  before?: number;
  after?: number;
  indent?: number;
}

/** Writes one tagged block after the other, and keeps what belongs together on a page. */
class Writer {
  private readonly root: PDFKit.PDFStructureElement;

  constructor(readonly doc: Doc) {
    this.root = doc.struct('Document');
    doc.addStructure(this.root);
  }

  heading(level: 'H1' | 'H2' | 'H3', text: string, style: Style): void {
    this.room(style.size * 5);
    this.block(level, text, { font: 'halvfet', ...style });
  }

  paragraph(text: string, style: Partial<Style> = {}): void {
    this.block('P', text, { size: 11, after: 6, ...style });
  }

  /** A word, and what is to be said of it. */
  pair(name: string, text: string, indent = 0): void {
    this.add('P', () => {
      this.doc.fillColor(INK).font('halvfet').fontSize(11);
      this.doc.text(`${name}: `, MARGIN + indent, this.doc.y, { continued: true, width: this.width(indent) });
      this.doc.font('vanlig').text(text, { width: this.width(indent) });
    });
    this.doc.y += 3;
  }

  rule(): void {
    const { doc } = this;
    doc.y += 6;
    doc.markContent('Artifact', { type: 'Layout' });
    doc
      .moveTo(MARGIN, doc.y)
      .lineTo(doc.page.width - MARGIN, doc.y)
      .lineWidth(0.7)
      .strokeColor(RULE)
      .stroke();
    doc.endMarkedContent();
    doc.y += 8;
  }

  /** So that a heading isn't the last of its page. */
  room(points: number): void {
    if (this.doc.y + points > this.doc.page.maxY()) this.doc.addPage();
  }

  end(): void {
    this.root.end();
  }

  private block(tag: string, text: string, { size, font, color, before = 0, after = 0, indent = 0 }: Style): void {
    this.doc.y += before;
    this.add(tag, () => {
      this.doc
        .font(font ?? 'vanlig')
        .fontSize(size)
        .fillColor(color ?? INK);
      this.doc.text(text, MARGIN + indent, this.doc.y, { width: this.width(indent), lineGap: 1.5 });
    });
    this.doc.y += after;
  }

  private add(tag: string, write: () => void): void {
    const element = this.doc.struct(tag, {}, write);
    this.root.add(element);
    element.end();
  }

  private width(indent: number): number {
    return this.doc.page.width - 2 * MARGIN - indent;
  }
}

function writeTop(page: Writer, { madeAt, fra, til, antall, person }: Insight): void {
  page.heading('H1', TITLE, { size: 22, after: 6 });
  page.paragraph(
    'Dette er en oversikt over hvem som har spurt Nav om avtalene dine om arbeidsmarkedstiltak, og hva de kan ha fått vite. Du har rett til å få vite det.',
  );
  page.pair('Laget', `${longDay(madeAt)} klokken ${TIME.format(madeAt)}`);
  page.pair('Perioden', periodText(fra, til));
  page.pair('Gjelder', `den som i systemet har nummeret ${person} (fødselsnummeret ditt står ikke her)`);
  page.heading('H2', 'Kort fortalt', { size: 15, before: 14, after: 4 });
  page.paragraph(`${HOW.FIKK}: ${times(antall.FIKK)}.`, { after: 2 });
  page.paragraph(`${HOW.KAN_HA_FATT}: ${times(antall.KAN_HA_FATT)}.`, { after: 2 });
  page.paragraph(`${HOW.AVSLAG}: ${times(antall.AVSLAG)}.`);
  const total = antall.FIKK + antall.KAN_HA_FATT + antall.AVSLAG;
  if (total === 0) page.paragraph('Ingen har spurt om deg i denne perioden, så langt vi vet.');
}

function writeParties(page: Writer, { parter: parties }: Insight): void {
  if (parties.length === 0) return;
  page.heading('H2', 'Hvem har spurt?', { size: 15, before: 14, after: 2 });
  page.paragraph('De som fikk opplysninger oftest, står først.', { color: QUIET });
  for (const [i, party] of parties.entries()) {
    if (i > 0) page.rule();
    writeParty(page, party);
  }
}

function writeParty(page: Writer, party: Party): void {
  page.heading('H3', party.visningsnavn, { size: 13, before: 4, after: 3 });
  if (party.organisasjonsnummer !== null) page.pair('Organisasjonsnummer', party.organisasjonsnummer);
  if (party.leverandoer !== null)
    page.pair('Spurte gjennom', `en leverandør, med organisasjonsnummer ${party.leverandoer}`);
  if (party.produkt !== undefined) page.pair('Datagrunnlag for analyse', party.produkt);
  page.pair(
    'Hva det skal brukes til',
    party.formaal ?? 'Det er beskrevet i lenken under, eller virksomheten kan svare på det.',
  );
  if (party.rettsgrunnlag !== undefined) page.pair('Rettslig grunnlag', party.rettsgrunnlag);
  if (party.lenke !== undefined) page.pair('Les mer', party.lenke);
  if (party.behandlingsgrunnlag === null) page.pair('Formål', 'Spørsmålet ble avvist før formålet var kjent.');
  for (const way of party.maater) writeWay(page, way);
}

function writeWay(page: Writer, way: Way): void {
  page.room(64);
  page.paragraph(`${HOW[way.hvordan]} – ${times(way.antall)}`, { font: 'halvfet', before: 6, after: 2, indent: 12 });
  page.pair('Hvordan', `${way.maate}.`, 12);
  if (way.slag.length > 0) {
    const name = way.hvordan === 'AVSLAG' ? 'Spurte etter' : 'Opplysninger';
    page.pair(name, `${way.slag.map((kind) => KINDS[kind]).join('; ')}.`, 12);
  }
  page.pair('Når', daysText(way), 12);
}

function writeEnd(page: Writer, insight: Insight): void {
  page.heading('H2', 'Dette vet vi ikke', { size: 15, before: 18, after: 4 });
  for (const text of unknownIn(insight)) page.paragraph(text);
  page.heading('H2', 'Hva ordene betyr', { size: 15, before: 12, after: 4 });
  for (const [word, meaning] of EXPLANATIONS) page.pair(word, meaning);
  page.heading('H2', 'Spørsmål?', { size: 15, before: 12, after: 4 });
  page.paragraph(
    'Ta kontakt med Nav på nav.no/kontakt hvis du lurer på noe, eller mener at noen ikke skulle hatt opplysningene. Du kan også klage til Datatilsynet (datatilsynet.no).',
  );
}

function numberPages(doc: Doc, { madeAt }: Insight): void {
  const { count } = doc.bufferedPageRange();
  for (let i = 0; i < count; i++) {
    doc.switchToPage(i);
    doc.page.margins.bottom = 0;
    doc.markContent('Artifact', { type: 'Pagination' });
    doc.font('vanlig').fontSize(9).fillColor(QUIET);
    const text = `${TITLE} Laget ${longDay(madeAt)}. Side ${String(i + 1)} av ${String(count)}`;
    doc.text(text, MARGIN, doc.page.height - 46, { lineBreak: false });
    doc.endMarkedContent();
  }
}

const times = (count: number): string => (count === 1 ? '1 gang' : `${NUMBER.format(count)} ganger`);
const NUMBER = new Intl.NumberFormat('nb-NO');
const zone = { timeZone: 'Europe/Oslo' } as const;
const LONG = new Intl.DateTimeFormat('nb-NO', { ...zone, day: 'numeric', month: 'long', year: 'numeric' });
const TIME = new Intl.DateTimeFormat('nb-NO', { ...zone, hour: '2-digit', minute: '2-digit' });
const MONTH = new Intl.DateTimeFormat('nb-NO', { ...zone, month: 'long', year: 'numeric' });

const longDay = (moment: Date): string => LONG.format(moment);
const noon = (day: string): Date => new Date(`${day}T12:00:00Z`);

function periodText(fra: string | undefined, til: string | undefined): string {
  const from = fra === undefined ? 'fra oversikten begynner' : `fra og med ${longDay(noon(fra))}`;
  return `${from} ${til === undefined ? 'til nå' : `til og med ${longDay(noon(til))}`}`;
}

/** Each day when they are few, and how often in each month when they are not. */
function daysText({ dager: days, forste: first, siste: last }: Way): string {
  if (days.size === 1) return `${longDay(first)}.`;
  const between = `Første gang ${longDay(first)}, siste gang ${longDay(last)}. `;
  const months = Map.groupBy([...days], ([day]) => day.slice(0, 7));
  const isFew = days.size <= MOST_DAYS;
  const each = [...months].map(([month, ofMonth]) => {
    const name = MONTH.format(noon(`${month}-15`));
    if (!isFew) return `${name}: ${times(ofMonth.reduce((sum, [, count]) => sum + count, 0))}`;
    const list = ofMonth.map(
      ([day, count]) => `${String(Number(day.slice(8)))}.${count === 1 ? '' : ` (${times(count)})`}`,
    );
    return `${name}: ${list.join(', ')}`;
  });
  // A day of a month has a full stop of its own.
  return `${between}${each.join('; ').replace(/\.$/, '')}.`;
}

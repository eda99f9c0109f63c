import type { Chart, IntervalBar, ReliabilityPoint } from '../document.js';
import { colours, page, setText, textWidth, type Paper } from './paper.js';

const barHeight = 15;
const axisHeight = 24;
const square = 210;
const small = { face: 'regular', size: 7.5, colour: colours.muted } as const;
const ticks = [0, 0.25, 0.5, 0.75, 1] as const;

/** Height of a chart with its axis. */
export const chartHeight = (chart: Chart): number =>
  chart.kind === 'intervals' ? chart.bars.length * barHeight + axisHeight + 8 : square + axisHeight + 20;

const labelWidth = 150;
const noteWidth = 150;
const barLeft = page.left + labelWidth;
const barWidth = textWidth - labelWidth - noteWidth;

const share = (value: number): string => `${(100 * value).toFixed(value === 0 || value === 1 ? 0 : 1)} %`;

const drawWhisker = ({ doc }: Paper, y: number, from: number, to: number): void => {
  doc.lineWidth(1).strokeColor(colours.text);
  doc.moveTo(from, y).lineTo(to, y).stroke();
  doc
    .moveTo(from, y - 2.5)
    .lineTo(from, y + 2.5)
    .stroke();
  doc
    .moveTo(to, y - 2.5)
    .lineTo(to, y + 2.5)
    .stroke();
};

const drawBar = (paper: Paper, bar: IntervalBar, y: number, largest: number): void => {
  const { doc } = paper;
  const at = (value: number): number =>
    barLeft + (barWidth * Math.min(largest, Math.max(0, value))) / largest;
  setText(paper, bar.label, page.left, y + 3, { ...small, colour: colours.text, width: labelWidth - 8 });
  setText(paper, bar.note, page.right - noteWidth + 8, y + 3, { ...small, width: noteWidth - 8 });
  if (bar.value === null) return;
  doc
    .rect(barLeft, y + 3, Math.max(0.5, at(bar.value) - barLeft), barHeight - 6)
    .fillColor(colours.accent)
    .fillOpacity(0.55)
    .fill();
  doc.fillOpacity(1);
  if (bar.low !== null && bar.high !== null) drawWhisker(paper, y + barHeight / 2, at(bar.low), at(bar.high));
};

const drawIntervals = (
  paper: Paper,
  { bars, largest, axis }: Extract<Chart, { kind: 'intervals' }>,
): void => {
  const { doc } = paper;
  const top = doc.y + 4;
  const bottom = top + bars.length * barHeight;
  for (const tick of ticks) {
    const x = barLeft + barWidth * tick;
    doc.moveTo(x, top).lineTo(x, bottom).lineWidth(0.5).strokeColor(colours.line).stroke();
    setText(paper, share(tick * largest), x - 25, bottom + 2, { ...small, width: 50, align: 'center' });
  }
  bars.forEach((bar, index) => {
    drawBar(paper, bar, top + index * barHeight, largest);
  });
  setText(paper, axis, barLeft, bottom + 12, { ...small, width: barWidth + noteWidth });
  doc.y = bottom + axisHeight + 8;
};

const drawFrame = (paper: Paper, left: number, top: number): void => {
  const { doc } = paper;
  for (const tick of ticks) {
    const x = left + square * tick;
    const y = top + square * (1 - tick);
    doc.lineWidth(0.5).strokeColor(colours.line);
    doc
      .moveTo(x, top)
      .lineTo(x, top + square)
      .stroke();
    doc
      .moveTo(left, y)
      .lineTo(left + square, y)
      .stroke();
    setText(paper, String(tick), x - 12, top + square + 3, { ...small, width: 24, align: 'center' });
    setText(paper, String(tick), left - 30, y - 4, { ...small, width: 26, align: 'right' });
  }
  doc
    .dash(3, { space: 3 })
    .moveTo(left, top + square)
    .lineTo(left + square, top)
    .lineWidth(0.8)
    .strokeColor(colours.muted)
    .stroke()
    .undash();
};

const drawPoint = (
  { doc }: Paper,
  point: ReliabilityPoint,
  left: number,
  top: number,
  most: number,
): void => {
  const x = left + square * point.predicted;
  const at = (value: number): number => top + square * (1 - value);
  doc.moveTo(x, at(point.low)).lineTo(x, at(point.high)).lineWidth(1).strokeColor(colours.accent).stroke();
  doc
    .circle(x, at(point.observed), 1.6 + 3.4 * Math.sqrt(point.n / most))
    .fillColor(colours.accent)
    .fill();
};

const drawReliability = (paper: Paper, { points, axis }: Extract<Chart, { kind: 'reliability' }>): void => {
  const left = page.left + 40;
  const top = paper.doc.y + 4;
  const most = Math.max(...points.map(({ n }) => n), 1);
  drawFrame(paper, left, top);
  for (const point of points) drawPoint(paper, point, left, top, most);
  const beside = left + square + 24;
  const width = page.right - beside;
  setText(paper, axis, beside, top, { ...small, size: 8.5, width });
  paper.doc.y = top + square + 14;
  setText(paper, 'Predicted probability (across), share observed (up)', left, paper.doc.y, {
    ...small,
    width: square + 40,
  });
  paper.doc.y = top + square + axisHeight + 12;
};

/** Draws a chart as vectors at the present place. */
export const drawChart = (paper: Paper, chart: Chart): void => {
  if (chart.kind === 'intervals') drawIntervals(paper, chart);
  else drawReliability(paper, chart);
};

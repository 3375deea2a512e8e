/* The fault matrix: sites down, faults across, each case a block coloured by what became of it. */
function matrix(doc) {
  const cases = list(doc.cases);
  if (cases.length === 0) return null;
  const sites = [...new Set(cases.map(c => c.site))], faults = [...new Set(cases.map(c => c.fault))];
  const cells = new Map();
  for (const c of cases) {
    const key = JSON.stringify([c.site, c.fault]);
    cells.set(key, [...(cells.get(key) || []), c]);
  }
  const effects = new Map(cases.map(c => [c.fault, c.effect]));
  const detail = el('div', {class: 'case-detail', 'aria-live': 'polite'},
    el('p', {class: 'quiet'}, t('Choose a cell to see its cases.')));
  let chosen = null;

  const choose = (button, some) => {
    if (chosen) chosen.setAttribute('aria-pressed', 'false');
    chosen = button;
    button.setAttribute('aria-pressed', 'true');
    detail.replaceChildren(caseTable(some));
  };
  const cell = (site, fault) => {
    const some = cells.get(JSON.stringify([site, fault]));
    if (!some) return el('td', {class: 'na', title: t('does not exist here')}, el('span', {class: 'sr'}, t('does not apply')));
    const says = some.map(c => (c.shape ? c.shape + ': ' : '') + caseWord(c)).join(', ');
    const button = el('button', {type: 'button', class: 'cell', 'aria-pressed': 'false', title: says,
      css: {'min-width': 1.75 * some.length + 'rem'},
      'aria-label': site + ', ' + fault + ': ' + says},
      some.map(c => el('span', {class: 'block ' + caseClass(c)}, c.fired > 999 ? Math.round(c.fired / 1000) + 'k' : c.fired || '')));
    button.addEventListener('click', () => choose(button, some));
    return el('td', {}, button);
  };
  const table = el('table', {class: 'matrix'},
    el('thead', {}, el('tr', {}, el('td', {}), faults.map(f => el('th', {scope: 'col', title: effects.get(f)},
      el('span', {class: 'tilt'}, f))))),
    el('tbody', {}, sites.map(site => el('tr', {}, el('th', {scope: 'row'}, qualified(site)),
      faults.map(fault => cell(site, fault))))));
  return section('matrix', [t('Fault matrix'), t('Matrix')],
    t('Where the application touches the world, and what each fault did there. One block a case (once, or for a while); the number says how often it fired.'),
    el('div', {class: 'card'}, legend(), scroller(t('Fault matrix'), table), detail));
}

const caseWord = c => (c.fired > 0 ? t('{1} ({2} fired)', c.outcome ? t(c.outcome) : t('not judged'), c.fired) : t('not exercised'));
const caseClass = c => (c.fired > 0 ? outcomeClass(c.outcome) : 'not-exercised');

function legend() {
  return el('ul', {class: 'legend'},
    OUTCOMES.map(name => el('li', {title: MEANING[name]}, el('span', {class: 'swatch ' + outcomeClass(name)}), t(name))),
    el('li', {}, el('span', {class: 'swatch not-exercised'}), t('not exercised')),
    el('li', {}, el('span', {class: 'swatch na'}), t('does not apply')));
}

function caseTable(some) {
  return el('table', {class: 'plain'},
    el('caption', {}, tn('{1} under {2}', qualified(some[0].site), el('code', {}, some[0].fault))),
    el('thead', {}, el('tr', {}, [t('case'), t('shape'), t('effect'), t('peer'), t('route'), t('fired'), t('outcome')].map(h => el('th', {scope: 'col'}, h)))),
    el('tbody', {}, some.map(c => el('tr', {},
      el('td', {}, el('code', {}, c.id)), el('td', {}, c.shape || '–'), el('td', {}, c.effect || '–'),
      el('td', {}, el('code', {}, c.peer || '–')), el('td', {}, c.route || t('background')),
      el('td', {class: 'num'}, c.fired),
      el('td', {}, el('span', {class: 'swatch ' + caseClass(c)}), ' ', c.fired > 0 ? (c.outcome ? t(c.outcome) : t('not judged')) : t('not exercised'))))));
}

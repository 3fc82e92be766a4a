/* How a search is read, ranked and quoted. Sphinx puts this file (html_search_scorer) into language_data.js, behind its
   searchtools.js, whose global names are Scorer and Search. */

var Scorer = (() => {
  const GREEK = { α: "alpha", β: "beta", γ: "gamma", δ: "delta", ε: "epsilon", ζ: "zeta", η: "eta", θ: "theta", ι: "iota",
    κ: "kappa", λ: "lambda", μ: "mu", ν: "nu", ξ: "xi", π: "pi", ρ: "rho", σ: "sigma", τ: "tau", υ: "upsilon", φ: "phi",
    ϕ: "phi", χ: "chi", ψ: "psi", ω: "omega" };

  const NUMBERED = ["chapter", "section", "equation", "theorem", "lemma", "proposition", "corollary", "definition",
    "assumption", "remark", "observation", "figure", "table", "exercise"];
  const SHORT = { thm: "theorem", fig: "figure" };

  /** What is numbered and called so: "equation" for "eq", "eqs" and "eqn". */
  const numbered = (called) => {
    const [start] = called.match(/^.*?(?=n?s?$)/);
    return SHORT[start] ?? NUMBERED.find((name) => name.startsWith(called) || name.startsWith(start));
  };

  /** The query as the index spells it: "beta" for "β", "equation 5.2" for "Eq. (5.2)" and for "(5.2)". */
  function spelled(query) {
    const words = query.toLowerCase().trim().replace(/\p{Script=Greek}/gu, (letter) => GREEK[letter] ?? letter).replace(/\\/g, "");
    const [, called, number] = words.match(/^([a-z]*)\.?\s*\(?(\d+(?:\.\d+)*)\)?$/) ?? [];
    const name = called ? numbered(called) : number?.includes(".") ? "equation" : "chapter";
    return number && name ? `${name} ${number}` : words;
  }

  const wordsOf = (text) => text.match(/[\p{L}\p{N}_]+(?:\.\d+)*/gu) ?? [];

  /** How much of the query a title holds: 2 if all of it and in order, otherwise the share of its words. */
  function held(query, title) {
    const asked = wordsOf(query), given = wordsOf(title);
    const begins = (word, place) => (/\d$/.test(word) ? given[place] === word : given[place]?.startsWith(word));
    if (given.some((_, place) => asked.every((word, next) => begins(word, place + next)))) return 2;
    return asked.filter((word) => given.some((_, place) => begins(word, place))).length / (asked.length || 1);
  }

  /** A formula as a line of text: between what its MathML sets above and below each other stand the usual signs. */
  function readable(formula) {
    const together = (part) => {
      if (part.localName !== "mrow" || part.children.length < 2) return;
      part.prepend("(");
      part.append(")");
    };
    formula.querySelectorAll("mfrac > *").forEach(together);
    formula.querySelectorAll(":is(msub, msup, msubsup, munder, mover, munderover) > :not(:first-child)").forEach(together);
    const before = (kind, child, sign) => formula.querySelectorAll(kind).forEach((each) => {
      if (each.children[child]?.textContent !== "′") each.children[child]?.before(sign);
    });
    before("mfrac", 1, "/");
    for (const kind of ["msub", "munder", "msubsup", "munderover"]) before(kind, 1, "_");
    before("msup", 1, "^");
    for (const kind of ["msubsup", "munderover"]) before(kind, 2, "^");
    before("msqrt", 0, "√");
    return formula.textContent;
  }

  /** The text that is quoted: from the place that was found, or all of the page; without buttons and code. */
  function quotable(html, anchor) {
    const article = new DOMParser().parseFromString(html, "text/html").querySelector("article");
    article.querySelectorAll(".headerlink, script, style, .cell_input, details.hide > summary").forEach((each) => each.remove());
    article.querySelectorAll(".math").forEach((each) => (each.textContent = readable(each)));
    let place = anchor && article.querySelector(`#${CSS.escape(anchor.slice(1))}`);
    while (place && !place.textContent.trim()) place = place.nextElementSibling ?? place.parentElement; // a mark before it
    if (place?.matches?.(".admonition-title")) place = place.parentElement; // a mark at the start of a box
    const explained = place?.matches?.("dt") ? `${place.textContent}: ${place.nextElementSibling.textContent}` : null;
    return (explained ?? (place || article).textContent).replace(/\s+/g, " ").trim();
  }

  // A browser lets no page read another from disk: there, results are not quoted.
  if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

  const { query, setIndex } = Search;
  let asked = "";
  Search.query = (words) => query((asked = spelled(words)));
  Search.htmlToText = quotable;
  // The title of a page is found by its words; found once more as a title, it would be listed twice.
  Search.setIndex = (index) => {
    for (const [title, places] of Object.entries(index.alltitles))
      index.alltitles[title] = places.filter(([, section]) => section !== null);
    setIndex(index);
  };

  /* What bears the number that is asked for comes first. A title that holds the query comes before an entry of the index
     (100), a page before a section, and a title that says little else before one that says more. Then come pages by how
     many words of the query their title has. */
  function score([, title, anchor, , found]) {
    if (found === 100 && /\d$/.test(asked)) return 200;
    const own = title.split(" > ").at(-1).replace(/^\d+\. /, "").toLowerCase();
    const share = held(asked, own);
    return share === 2 ? 110 + (anchor ? 0 : 20) + (10 * asked.length) / Math.max(asked.length, own.length) : found + 20 * share;
  }

  return { ...Scorer, score }; // with Sphinx's own weights
})();

/* A page that looks for news asks again only once it has the answer to its last question. Dash throws away the answer to a
   question that is asked anew meanwhile: over a slow line, on which each takes longer than the pause, nothing would ever come. */
(function () {
  "use strict";
  const PATIENCE = 250;  // ms; nearly every answer is there by then, and its clock goes on undisturbed
  const fetched = window.fetch;

  /* The id of the clock that this request comes from. */
  function clock_of(init) {
    const found = init && typeof init.body === "string" && /"changedPropIds":\["([\w-]+)\.n_intervals"\]/.exec(init.body);
    return found ? found[1] : null;
  }

  /* Its page may have been left meanwhile, and Dash throws at the name of what is not there. */
  function set(clock, most) {
    try {
      if (!window.dash_component_api.getLayout(clock)) return;
    } catch (_) {
      return;
    }
    window.dash_clientside.set_props(clock, { max_intervals: most });
  }

  window.fetch = async function (input, init) {
    const clock = clock_of(init);
    if (!clock) return fetched.call(this, input, init);
    let stands = false;
    const waiting = setTimeout(function () { stands = true; set(clock, 0); }, PATIENCE);
    try {
      return await fetched.call(this, input, init);
    } finally {
      clearTimeout(waiting);
      if (stands) set(clock, -1);
    }
  };
})();

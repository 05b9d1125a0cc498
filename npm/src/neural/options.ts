/** What can be asked of training; the core says what is allowed and what is the default. */

/** Options of training one network; every one may be left out. */
export interface NetworkOptions {
  /** The column to predict; default the last. */
  readonly target?: string;
  /** classification or regression; default by the target's values. */
  readonly task?: 'classification' | 'regression';
  /** csv, fann, proben or array; default as the data shows. */
  readonly format?: string;
  /** How inputs are scaled: standard (default), min-max or none. */
  readonly scaling?: string;
  /** How targets are scaled: auto (default), standard, min-max or none. */
  readonly targetScaling?: string;
  /** Percent of training, validation and test rows; default 60, 20, 20. */
  readonly split?: readonly number[];
  /** How rows are split: stratified (default), ordered or groups. */
  readonly splitBy?: string;
  /** The column whose values stay together with `splitBy: 'groups'`. */
  readonly groupColumn?: string;
  /** Parts of a k-fold cross-validation. */
  readonly folds?: number;
  /** Which of the parts is the test part, from 0. */
  readonly fold?: number;
  /** The column that weighs each row. */
  readonly weightColumn?: string;
  /** `balanced`, or a weight for each class. */
  readonly classWeights?: string | Readonly<Record<string, number>>;
  /** Seed of all randomness, 0 to 2^53 - 1; default 1. */
  readonly seed?: number;
  /** Units of each hidden layer; default 16. */
  readonly hidden?: number | readonly number[];
  /** Activation of the hidden units, one word or one a layer; default tanh. */
  readonly activation?: string | readonly string[];
  /** Activation of the outputs; default softmax for classes, linear for numbers. */
  readonly outputActivation?: string;
  /** Steepness of the activations, one number or one a layer; default 1. */
  readonly steepness?: number | readonly number[];
  /** Connect each layer with the inputs and all layers before it. */
  readonly shortcut?: boolean;
  /** Share of connections that are made; default 1. */
  readonly connectionRate?: number;
  /** First weights: uniform, scaled (default), nguyen-widrow, glorot or he. */
  readonly init?: string;
  /** Half width of uniform first weights. */
  readonly initRange?: number;
  /** rprop (default), rprop+, rprop-, irprop+, irprop-, sarprop, quickprop, batch, incremental or adam. */
  readonly algorithm?: string;
  /** squared, absolute, huber, cross-entropy or fann-tanh. */
  readonly loss?: string;
  /** Where the Huber loss turns from square to line. */
  readonly huberDelta?: number;
  /** Most epochs; default 1000. */
  readonly epochs?: number;
  /** Step size of batch, incremental, quickprop and adam. */
  readonly learningRate?: number;
  /** Momentum of batch and incremental. */
  readonly momentum?: number;
  /** Rows of an update of batch and adam; 0 for all. */
  readonly batchRows?: number;
  /** L1 penalty on the weights. */
  readonly l1?: number;
  /** L2 penalty on the weights. */
  readonly l2?: number;
  /** Share of hidden units that are dropped in a pass. */
  readonly dropout?: number;
  /** Half width of the noise on scaled inputs. */
  readonly noise?: number;
  /** By what a step of rprop grows. */
  readonly increase?: number;
  /** By what a step of rprop shrinks. */
  readonly decrease?: number;
  /** The first step of rprop. */
  readonly stepStart?: number;
  /** The least step of rprop. */
  readonly stepMin?: number;
  /** The greatest step of rprop. */
  readonly stepMax?: number;
  /** Most growth of a step of quickprop. */
  readonly growth?: number;
  /** Weight decay of quickprop. */
  readonly decay?: number;
  /** How fast sarprop cools. */
  readonly cooling?: number;
  /** Decay of adam's mean. */
  readonly beta1?: number;
  /** Decay of adam's mean of squares. */
  readonly beta2?: number;
  /** What adam adds to a root. */
  readonly epsilon?: number;
  /** Stop after so many epochs without a lower validation loss; default 100 with validation rows. */
  readonly patience?: number;
  /** Stop when Prechelt's generalisation loss goes above this, in percent. */
  readonly gl?: number;
  /** Stop when Prechelt's PQ goes above this. */
  readonly pq?: number;
  /** Stop after so many strips in a row with a growing validation loss. */
  readonly up?: number;
  /** Epochs of a strip; default 5. */
  readonly strip?: number;
  /** Stop when the training loss is at most this. */
  readonly targetError?: number;
  /** Stop when at most so many outputs are off by the limit. */
  readonly bitFail?: number;
  /** The limit of `bitFail`; default 0.35. */
  readonly bitFailLimit?: number;
  /** Epochs between two measurements of the validation loss; default 1. */
  readonly validateEvery?: number;
}

/** How far training is. */
export interface NetworkProgress {
  /** Epochs done. */
  readonly epoch: number;
  /** Epochs at most. */
  readonly maxEpochs: number;
  /** Mean squared error on the training rows; null before the first epoch. */
  readonly trainLoss: number | null;
  /** Mean squared error on the validation rows; null if there are none. */
  readonly validationLoss: number | null;
  /** The least of them, whose weights are kept. */
  readonly bestValidationLoss: number | null;
  /** Its epoch. */
  readonly bestEpoch: number;
  /** Whether training is over. */
  readonly done: boolean;
  /** Why: epochs, patience, gl, pq, up, target-error, bit-fail, time, cancelled; empty while it goes on. */
  readonly stopped: string;
}

/** What came of training. */
export interface NetworkReport {
  /** Epochs trained. */
  readonly epochs: number;
  /** The epoch whose weights were kept. */
  readonly bestEpoch: number;
  /** Why it ended. */
  readonly stopped: string;
  /** Mean squared error on the training rows. */
  readonly trainLoss: number | null;
  /** Mean squared error on the validation rows; null if there are none. */
  readonly validationLoss: number | null;
  /** Mean squared error on the test rows; null if there are none. */
  readonly testLoss: number | null;
  /** Share of test rows classified right; null for regression. */
  readonly testAccuracy: number | null;
  /** SHA-256 of the model file, in hex. */
  readonly modelHash: string;
}

/** How well a network does on rows with targets. */
export interface Evaluation {
  /** How many rows were measured. */
  readonly rows: number;
  /** Mean squared error. */
  readonly loss: number;
  /** Share of rows classified right; null for regression. */
  readonly accuracy: number | null;
}
